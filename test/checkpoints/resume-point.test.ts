import test from 'ava';
import { resumePoint } from '../../daemon/checkpoints/checkpoint.ts';

const POINT = {
  position: { fragmentNumber: '7', continuationToken: 'token', producerEpochMs: 1_700_000_000_000.5 },
  callClock: { originMs: 1000.25, driftFrames: [0, 0], delayFrames: [0, 0] },
  callMs: 7000,
  connections: 1,
  savedAtEpochMs: 1_700_000_000_000,
};

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
  const { callMs, callClock: clock } = resumePoint.parse({ ...POINT, callMs: 7000.03, callClock });
  t.is(callMs, 7000);
  t.deepEqual([clock?.driftFrames, clock?.delayFrames].flat(), [0, -2, 8, 0]);
});

test("a resume point keeps the tracks' places, and does without those of another version", (t) => {
  const track = {
    endFrame: 8000,
    levelMs: 0.5,
    centerMs: -0.25,
    jitterMs: 20,
    blocks: 16,
    exactBlocks: -1000,
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
  const { endFrame: _, driftMsPerHour: __, ...unbegun } = track;
  const placed = { tracks: [track, unbegun], takenFrames: 7000 };
  const read = (written: unknown) =>
    resumePoint.parse(JSON.parse(JSON.stringify({ ...POINT, callClock: { ...POINT.callClock, placed: written } })));
  t.deepEqual(read(placed).callClock?.placed, placed as never);
  for (const other of [undefined, { tracks: [] }, { ...placed, takenFrames: 0.5 }, 'new']) {
    t.like(read(other).callClock, { originMs: 1000.25, placed: undefined });
  }
});
