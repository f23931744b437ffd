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
