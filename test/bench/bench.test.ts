import { once } from 'node:events';
import test from 'ava';
import type { CommanderError } from 'commander';
import { contactIdOf } from '../load/identity.ts';
import { stereoBlock } from '../load/sound.ts';
import { byteDifference } from '../support/byte-difference.ts';
import { ScriptProcess } from '../support/script-process.ts';
import type { Report } from './figures.ts';
import { mkvOf } from './material.ts';
import { parseWithEbml } from './naive/ebml.ts';
import { parseWithEbmlStream } from './naive/ebml-stream.ts';
import { Merger } from './naive/merger.ts';
import { readOptions } from './options.ts';
import { ALL_CONTENDERS } from './plan.ts';
import { targetsIn } from './targets.ts';

/** How long a small run takes on a busy machine. */
const LONGEST_RUN_MS = 5 * 60_000;
const TINY = ['--rounds', '1', '--calls', '2', '--seconds', '1', '--json'];

async function bench(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const running = new ScriptProcess('test/bench/main.ts', args);
  const code = await running.exited;
  return { code, stdout: running.stdout, stderr: running.stderr };
}

test('a small run measures every stage and the whole, side by side', async (t) => {
  t.timeout(LONGEST_RUN_MS);
  const { code, stdout, stderr } = await bench(...TINY, '--chunk-ms', '128');
  t.is(code, 0, stderr);
  const { figures, targets, machine, node, date } = JSON.parse(stdout) as Report;
  const contendersOf = (stage: string, feed: string) =>
    figures.filter((figure) => figure.stage === stage && figure.feed === feed).map(({ contender }) => contender);
  t.deepEqual(contendersOf('demux', 'connect, chunks of 64 ms'), ['integratord', 'ebml-stream', 'ebml']);
  t.deepEqual(contendersOf('demux', 'captures, chunks of 16 KiB'), ['integratord', 'ebml-stream', 'ebml']);
  t.deepEqual(contendersOf('align', 'blocks of 64 ms'), ['integratord', 'naive merging']);
  t.deepEqual(contendersOf('link', 'messages of 64 ms'), ['integratord', 'ws']);
  const whole = ['integratord', 'integratord, checkpoints', 'ebml-stream', 'ebml', 'naive floor'];
  t.deepEqual(contendersOf('whole', 'chunks of 128 ms'), whole);
  for (const { stage, contender, cpuMs } of figures) {
    // In the whole, Linux reports units of 10 ms: the relays may need less for a few calls.
    t.true(stage === 'whole' && contender !== 'integratord' ? cpuMs >= 0 : cpuMs > 0, contender);
  }
  t.is(targets.length, 2);
  t.true(machine.cores >= 1);
  t.is(node, process.versions.node);
  t.false(Number.isNaN(Date.parse(date)));
});

for (const [args, word] of [
  [['--rounds', 'many'], 'whole number'],
  [['--calls', '0'], 'whole number'],
  [['--chunk-ms', '70'], '64'],
  [['--only', 'demux,parse'], 'parse'],
  [['--contenders', 'nobody'], 'nobody'],
  [['--what'], '--what'],
  [['more'], 'arguments'],
] as const) {
  test(`${args.join(' ')} is rejected with a reason`, (t) => {
    const said: string[] = [];
    const error = t.throws(() => readOptions(args, ALL_CONTENDERS, (text) => said.push(text)), { any: true });
    t.is((error as CommanderError).exitCode, 2);
    t.true(said.join('').includes(word), said.join(''));
  });
}

test('a command line that is rejected measures nothing, and the exit code says so', async (t) => {
  const { code, stdout, stderr } = await bench('--calls', '0');
  t.is(code, 2);
  t.is(stdout, '');
  t.regex(stderr, /whole number/);
});

test('a target is a share of what another contender needs', (t) => {
  const figure = (contender: string, cpuMs: number) =>
    ({ stage: 'whole', feed: 'chunks of 64 ms', contender, unit: 's of call', cpuMs, rounds: [cpuMs] }) as const;
  const met = (ours: number) =>
    targetsIn([figure('integratord', ours), figure('naive floor', 1)]).map((each) => each.met);
  t.deepEqual(met(0.8), [true]);
  t.deepEqual(met(0.81), [false]);
  t.deepEqual(targetsIn([figure('integratord', 1)]), []);
});

for (const [name, parse] of [
  ['ebml-stream', parseWithEbmlStream],
  ['ebml', parseWithEbml],
] as const) {
  test(`the contender written with ${name} yields a call's audio, and no audio of another contact`, async (t) => {
    const call = 3;
    const chunks = mkvOf(call, 2);
    const pcm = chunks.map((_, block) => stereoBlock({ call, block, saidAtTicks: 0 }));
    for (const [contactId, expected] of [
      [contactIdOf(call), Buffer.concat(pcm)],
      [contactIdOf(4), Buffer.alloc(0)],
    ] as const) {
      const heard: Buffer[] = [];
      const decoder = parse(new Merger(contactId, (piece) => heard.push(piece)));
      for (const chunk of chunks) decoder.write(chunk);
      decoder.end();
      await once(decoder, 'end');
      t.is(byteDifference(Buffer.concat(heard), expected), 'the same');
    }
  });
}
