import test from 'ava';
import { ScriptProcess } from '../support/script-process.ts';
import { moodOf } from './moods.ts';

test('a small soak passes: nothing is missing, and /metrics says what Deepgram counted', async (t) => {
  t.timeout(240_000);
  const run = new ScriptProcess('test/soak/main.ts', ['--calls', '6', '--seconds', '8', '--seed', '5']);
  t.teardown(() => run.stop());
  t.is(await run.exited, 0, run.stdout + run.stderr);
  t.regex(
    run.stdout,
    /^passed: 6 calls for 8 s \(seed 5\): \d+ s of audio, 0 ms missing, \d+ connections, \d+ refusals, 0 failures\n$/,
  );
});

test('the first handshake of a call is never refused, and all moods occur', (t) => {
  let state = 1;
  const random = () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const moods = Array.from({ length: 3000 }, () => moodOf(random, false));
  t.true(Array.from({ length: 3000 }, () => moodOf(random, true)).every(({ refusal }) => refusal === undefined));
  const kinds = (values: readonly unknown[]) => [...new Set(values.map(String))].sort();
  const refusals = moods.map(({ refusal }) => (typeof refusal === 'object' ? refusal.status : refusal));
  t.deepEqual(kinds(refusals), kinds([undefined, 429, 503, 502, 500, 403, 404, 408, 200, 'reset', 'hang']));
  const losses = [1000, 1001, 1008, 1011, 1012, 1013, 4000, 'reset', 'fin', 'half-open'];
  t.deepEqual(kinds(moods.map(({ loss }) => loss)), kinds(losses));
  t.deepEqual(kinds(moods.map(({ end }) => end)), kinds([1000, 1001, 1011, 4000, 'reset', 'fin']));
  t.true(moods.some(({ pongMs }) => pongMs === 'never') && moods.some(({ handshakeMs }) => handshakeMs > 5000));
});
