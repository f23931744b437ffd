import test from 'ava';
import { align, faultsOf } from './heard-call.ts';
import { type CallPlan, speak } from './random-calls.ts';

const BLOCK_MS = 64;
const blocksIn = (minutes: number) => Math.ceil((minutes * 60_000) / BLOCK_MS);

const PLAN: CallPlan = {
  seed: 1,
  blocks: blocksIn(2),
  blockFrames: 512,
  jitter: { kind: 'exact' },
  ppm: [0, 0],
  lateMs: 0,
  lateChannel: 1,
  absences: [],
  sets: [],
  repetitions: [],
  fragmentBlocks: 16,
  isTrackMajor: false,
  isLive: true,
};
const JITTER = { kind: 'uniform', ms: 60 } as const;

const CALLS: readonly (readonly [name: string, changes: Partial<CallPlan>])[] = [
  ['3 h by a clock that is 100 ppm fast', { blocks: blocksIn(180), ppm: [100, 100] }],
  ['3 h of inexact times, and tracks that drift apart', { blocks: blocksIn(180), jitter: JITTER, ppm: [-100, 300] }],
  ...([{ kind: 'exact' }, JITTER] as const).flatMap((jitter) => [
    [
      `a track that is away for 10 minutes (${jitter.kind})`,
      { jitter, blocks: blocksIn(14), absences: [{ afterBlocks: blocksIn(2), ms: 600_000, channel: 1 }] } as const,
    ] as const,
    ...[-5000, -500, 500, 5000].map(
      (byMs) =>
        [`a clock that is set by ${byMs} ms (${jitter.kind})`, { jitter, sets: [{ afterBlocks: 900, byMs }] }] as const,
    ),
    [
      `the last second sent again (${jitter.kind})`,
      { jitter, repetitions: [{ afterBlocks: blocksIn(2) - 3, blocks: 16 }] },
    ] as const,
  ]),
];

for (const [name, changes] of CALLS) {
  test(`${name}: every sample once, silence only where audio is absent`, (t) => {
    const call = speak({ ...PLAN, ...changes });
    t.deepEqual(faultsOf(call, align(call)), []);
  });
}
