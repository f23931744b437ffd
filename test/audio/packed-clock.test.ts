import test from 'ava';
import fc from 'fast-check';
import type { CallClock } from '../../daemon/audio/call-clock.ts';
import { packed, unpacked } from '../../daemon/audio/packed-clock.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const maybe = fc.option(number, { nil: undefined });
const pair = fc.tuple(number, number);
const track = fc.record({
  endFrame: maybe,
  levelMs: number,
  centerMs: number,
  jitterMs: number,
  blocks: number,
  exactBlocks: number,
  jitterBlocks: maybe,
  levelBlocks: number,
  runBlocks: number,
  hadGap: fc.boolean(),
  driftMsPerHour: maybe,
  otherCenterMs: number,
  usualFrames: number,
  lastFrames: number,
  lastBlocks: fc.array(pair, { maxLength: 3 }),
});
const clock: fc.Arbitrary<CallClock> = fc.record(
  {
    originMs: number,
    driftFrames: pair,
    delayFrames: pair,
    placed: fc.record({ tracks: fc.tuple(track, track), takenFrames: number }),
  },
  { requiredKeys: ['originMs', 'driftFrames', 'delayFrames'] },
);

test('a packed clock is unpacked as it was, whatever its memory was used for before', (t) => {
  fc.assert(
    fc.property(clock, clock, (before, after) => {
      const used = packed(before);
      t.deepEqual(unpacked(used), before);
      t.deepEqual(unpacked(packed(after, used)), after);
    }),
    { numRuns: 200 },
  );
});

test('the memory of a clock that is no longer needed is used again', (t) => {
  const one: CallClock = { originMs: 1.5, driftFrames: [0, 0], delayFrames: [0, 0] };
  const used = packed(one);
  t.is(packed({ ...one, originMs: 2.5 }, used), used);
});
