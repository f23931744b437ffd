import test from 'ava';
import type { CallClock } from '../../daemon/audio/call-clock.ts';
import { type PackedClock, packed, unpacked } from '../../daemon/audio/packed-clock.ts';
import { resumePoint } from '../../daemon/checkpoints/checkpoint.ts';

const POINT = {
  position: { fragmentNumber: '7', continuationToken: 'token', producerEpochMs: 1_700_000_000_000.5 },
  callClock: { originMs: 1000.25, driftFrames: [0, 0], delayFrames: [0, 0] },
  callMs: 7000,
  connections: 1,
  savedAtEpochMs: 1_700_000_000_000,
};

/** A resume point with this clock, written to a file and read back. */
function reread(callClock: unknown) {
  return unpacked(resumePoint.parse(JSON.parse(JSON.stringify({ ...POINT, callClock }))).callClock as PackedClock);
}

test('a resume point of a version without SegmentUID is read', (t) => {
  t.like(resumePoint.parse(POINT), { position: { fragmentNumber: '7', segmentUid: undefined } });
});

test('a resume point keeps the SegmentUID, and the beginning of a call as such', (t) => {
  const read = (position: object) => resumePoint.parse(JSON.parse(JSON.stringify({ ...POINT, position }))).position;
  t.like(read({ ...POINT.position, segmentUid: 'ab' }), { fragmentNumber: '7', segmentUid: 'ab' });
  for (const atEpochMs of [undefined, 5000]) {
    const start = { isCallStart: true, fragmentNumber: '7', atEpochMs };
    t.like(read(start), start);
  }
});

test('fractions of a frame in a resume point are rounded: a buffer has no place for them', (t) => {
  const callClock = { originMs: 0, driftFrames: [0.4, -1.6], delayFrames: [7.5, 0] };
  t.is(resumePoint.parse({ ...POINT, callMs: 7000.03 }).callMs, 7000);
  const { driftFrames, delayFrames } = reread(callClock);
  t.deepEqual([driftFrames, delayFrames].flat(), [0, -2, 8, 0]);
});

test("a resume point keeps the tracks' places, and does without those of another version", (t) => {
  const track = {
    endFrame: 8000,
    levelMs: 0.5,
    centerMs: -0.25,
    jitterMs: 20,
    blocks: 16,
    exactBlocks: -1000,
    jitterBlocks: 12,
    levelBlocks: 16,
    runBlocks: 16,
    hadGap: false,
    driftMsPerHour: 3.5,
    otherCenterMs: -0.25,
    usualFrames: 512,
    lastFrames: 512,
    lastBlocks: [
      [896, -5],
      [960, 7],
    ],
  };
  const unbegun = { ...track, endFrame: undefined, driftMsPerHour: undefined };
  const placed = { tracks: [track, unbegun] as const, takenFrames: 7000 };
  const numbers = packed({ ...POINT.callClock, placed } as unknown as CallClock);
  t.deepEqual(reread(numbers).placed, placed as never);
  t.deepEqual(reread({ ...POINT.callClock, placed }).placed, placed as never, 'as an earlier version wrote it');
  for (const other of [undefined, { tracks: [] }, { ...placed, takenFrames: 0.5 }, 'new']) {
    t.like(reread({ ...POINT.callClock, placed: other }), { originMs: 1000.25, placed: undefined });
  }
  for (const other of [numbers.slice(0, -1), [...numbers, 1], numbers.with(20, 1e12)]) {
    t.like(reread(other), { originMs: 1000.25, placed: undefined });
  }
  t.throws(() => reread([]));
});
