import test from 'ava';
import { type PackedClock, packed, unpacked } from '../../daemon/audio/packed-clock.ts';
import type { ReadingStart } from '../../daemon/kinesis/contact.ts';
import { ResumeTracker } from '../../daemon/session/resume-tracker.ts';
import { newSessionOf } from '../support/session-builders.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const START = { fragmentNumber: '0' };

/** A call's clock that records when it was saved. */
const clockAt = (reachMs: number, used?: PackedClock): PackedClock =>
  packed({ originMs: reachMs, driftFrames: [0, 0], delayFrames: [0, 0] }, used);

/** A session whose progress and safe audio are set by a test. */
function tracked({
  hasCheckpoints = true,
  missedAtStartMs = 0,
  start = START,
}: {
  hasCheckpoints?: boolean;
  missedAtStartMs?: number;
  start?: ReadingStart;
} = {}) {
  const aligner = {
    hasBegun: true,
    isHolding: false,
    reachMs: 0,
    callClock: (used?: PackedClock) => clockAt(aligner.reachMs, used),
    beginning: clockAt(-1),
  };
  const link = { safeMs: 0, connections: 2 };
  const calls: string[] = [];
  const disk = Promise.withResolvers<void>();
  const checkpoints = {
    track: () => calls.push('track'),
    settled: () => disk.promise,
    changed: () => calls.push('changed'),
    freeze: (id: string) => calls.push(`freeze ${id}`),
  };
  const seed = newSessionOf('a');
  const tracker = new ResumeTracker(seed, start, aligner, {
    link,
    gaps: { beforeMs: (callMs) => callMs / 10, toldAfter: () => undefined, missedAtStartMs },
    checkpoints: hasCheckpoints ? checkpoints : undefined,
  });
  /** Reads a fragment that ends at `reachMs` of the call. */
  const read = (number: number, reachMs: number) => {
    aligner.reachMs = reachMs;
    tracker.note({ fragmentNumber: String(number), continuationToken: undefined, producerEpochMs: undefined });
  };
  const resumesAfter = (safeMs: number) => {
    link.safeMs = safeMs;
    const { position, callClock } = tracker.resumePoint();
    return [position.fragmentNumber, callClock && unpacked(callClock).originMs];
  };
  return { tracker, aligner, link, calls, disk, seed, read, resumesAfter };
}

test('a session resumes with the clock of the last moment that is safe, and reads from a fragment before it', (t) => {
  const { read, resumesAfter } = tracked();
  read(1, 1000);
  read(2, 2000);
  read(3, 3000);
  t.deepEqual(resumesAfter(0), ['0', -1]);
  t.deepEqual(resumesAfter(999), ['0', -1]);
  t.deepEqual(resumesAfter(1000), ['0', 1000]);
  t.deepEqual(resumesAfter(2500), ['1', 2000]);
  t.deepEqual(resumesAfter(9000), ['2', 3000]);
});

test('the resume point never moves back', (t) => {
  const { read, resumesAfter } = tracked();
  read(1, 1000);
  read(2, 2000);
  t.deepEqual(resumesAfter(2000), ['1', 2000]);
  t.deepEqual(resumesAfter(0), ['1', 2000]);
});

test('while no audio becomes safe, few moments are kept, and each is read again from the fragment before it', (t) => {
  const { read, resumesAfter } = tracked();
  for (let number = 1; number <= 100; number++) read(number, number * 1000);
  const points: unknown[] = [];
  for (let safeMs = 0; safeMs <= 100_000; safeMs += 500) {
    const [fragment, originMs] = resumesAfter(safeMs);
    const readToMs = Number(originMs);
    t.true(readToMs <= safeMs);
    t.is(Number(fragment), Math.max(0, readToMs / 1000 - 1));
    t.true(safeMs - readToMs < 50_000, `${safeMs - readToMs} ms are read again`);
    if (points.at(-1) !== originMs) points.push(originMs);
  }
  t.is(points.length, 5, 'the beginning and four moments');
  t.is(points.at(-1), 100_000);
});

test('a session that stays minutes behind does not read all of that again', (t) => {
  const { read, resumesAfter } = tracked();
  for (let number = 1; number <= 1000; number++) {
    read(number, number * 1000);
    const safeMs = Math.max(0, number - 90) * 1000;
    const [, originMs] = resumesAfter(safeMs);
    t.true(safeMs - Number(originMs) < 61_000, `${safeMs - Number(originMs)} ms at ${safeMs}`);
  }
});

test('a fragment whose token comes after its audio is one fragment', (t) => {
  const { read, resumesAfter } = tracked();
  read(1, 1000);
  read(2, 2000);
  read(2, 2100);
  read(3, 3000);
  t.deepEqual(resumesAfter(2500), ['1', 2000]);
  t.deepEqual(resumesAfter(3000), ['2', 3000]);
});

test('the fragment that Connect names as the beginning is read like every other one', (t) => {
  const start = { isCallStart: true, fragmentNumber: '1', atEpochMs: undefined } as const;
  const { tracker, read, resumesAfter } = tracked({ start });
  read(1, 1000);
  t.deepEqual(resumesAfter(1000), ['1', 1000]);
  t.is(tracker.resumePoint().position, start);
  read(2, 2000);
  t.deepEqual(resumesAfter(2000), ['1', 2000]);
  t.notDeepEqual(tracker.resumePoint().position, start);
});

test('a moment waits until no block is held: a clock does not have such blocks', (t) => {
  const { aligner, read, resumesAfter } = tracked();
  read(1, 1000);
  aligner.isHolding = true;
  read(2, 2000);
  t.deepEqual(resumesAfter(2000), ['0', 1000]);
  aligner.isHolding = false;
  read(2, 2200);
  t.deepEqual(resumesAfter(2200), ['1', 2200]);
  aligner.isHolding = true;
  read(3, 3000);
  aligner.isHolding = false;
  read(4, 4000);
  t.deepEqual(resumesAfter(4000), ['3', 4000]);
});

test('the resume point has the call time and the number of connections', (t) => {
  const { tracker, link } = tracked();
  link.safeMs = 1500;
  t.like(tracker.resumePoint(), { position: START, callClock: clockAt(-1), callMs: 1500, connections: 2 });
});

test('a missing beginning counts for who resumes after it; who begins at the start of the call finds it again', (t) => {
  const start = { isCallStart: true, fragmentNumber: '0', atEpochMs: undefined } as const;
  const { tracker, link, read } = tracked({ missedAtStartMs: 700, start });
  read(1, 1000);
  read(2, 2000);
  link.safeMs = 1500;
  t.like(tracker.resumePoint(), { position: start, gapMs: 150, missedAtStartMs: 700 });
  link.safeMs = 2000;
  t.like(tracker.resumePoint(), { position: { fragmentNumber: '1' }, gapMs: 900, missedAtStartMs: undefined });
});

test('a session is saved when it starts, and resumes from there until its call has begun', async (t) => {
  const { tracker, aligner, calls, disk, read, resumesAfter } = tracked();
  aligner.hasBegun = false;
  const begun = tracker.begin(new VirtualClock());
  t.deepEqual(calls, ['track']);
  disk.resolve();
  await begun;
  read(1, 0);
  t.deepEqual(calls, ['track'], 'a fragment without a place changes nothing');
  t.is(tracker.resumePoint().position, START);
  aligner.hasBegun = true;
  read(2, 1000);
  t.deepEqual(calls, ['track', 'changed']);
  t.deepEqual(resumesAfter(1000), ['0', 1000]);
});

test('a start does not wait for a disk that hangs', async (t) => {
  const { tracker, calls } = tracked();
  const clock = new VirtualClock();
  let hasBegun = false;
  void tracker.begin(clock).then(() => {
    hasBegun = true;
  });
  await clock.advance(99);
  t.false(hasBegun);
  await clock.advance(1);
  t.true(hasBegun);
  t.deepEqual(calls, ['track']);
});

test('without STATE_DIR a start waits for nothing', async (t) => {
  const clock = new VirtualClock();
  await tracked({ hasCheckpoints: false }).tracker.begin(clock);
  t.is(clock.pending, 0);
});

test('a session that has stopped reading is frozen', (t) => {
  const { tracker, calls, seed } = tracked();
  tracker.freeze();
  t.deepEqual(calls, [`freeze ${seed.sessionId}`]);
});

test('without STATE_DIR the session itself can still go back, and little more than needed', (t) => {
  const { tracker, link, read, resumesAfter } = tracked({ hasCheckpoints: false });
  for (let number = 1; number <= 20; number++) {
    link.safeMs = number * 1000 - 2500;
    read(number, number * 1000);
  }
  t.notThrows(() => tracker.freeze());
  t.deepEqual(resumesAfter(17_500), ['16', 17_000]);
});

test('once the call is read again, the session resumes from there until more of it is safe', (t) => {
  const { tracker, aligner, read, resumesAfter } = tracked();
  for (let number = 1; number <= 4; number++) read(number, number * 1000);
  const again = resumesAfter(2500);
  t.deepEqual(again, ['1', 2000]);
  tracker.restart(tracker.resumePoint(), aligner);
  t.deepEqual(resumesAfter(2500), again);
  read(2, 2000);
  read(3, 3000);
  t.deepEqual(resumesAfter(3000), ['2', 3000]);
});

test('a resume point knows how much of the call before it is missing', (t) => {
  const { tracker, resumesAfter } = tracked();
  resumesAfter(5000);
  t.is(tracker.resumePoint().gapMs, 500);
});
