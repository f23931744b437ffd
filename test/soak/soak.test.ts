import test from 'ava';
import { moodOf } from './moods.ts';
import { virtualSoak } from './virtual-soak.ts';

test('calls to a Deepgram of all moods lose nothing and leave nothing unfinished, in virtual time', async (t) => {
  const calls = await virtualSoak({ calls: 40, seconds: 240, seed: 4 });
  t.deepEqual(
    calls.flatMap(({ failures }) => failures),
    [],
  );
  const connections = calls.reduce((total, call) => total + call.connections, 0);
  const refusals = calls.reduce((total, call) => total + call.refusals, 0);
  t.true(connections > 2 * calls.length && refusals > calls.length / 4, `${connections}, ${refusals}`);
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
