import test from 'ava';
import { ResumeTracker } from '../../daemon/session/resume-tracker.ts';
import { newSessionOf } from '../support/session-builders.ts';

const START = { fragmentNumber: '0' };

/** A session whose progress and safe audio are set by a test. */
function tracked({ hasCheckpoints = true } = {}) {
  const aligner = { hasBegun: true, reachMs: 0, callClock: undefined };
  const link = { safeMs: 0, connections: 2 };
  const calls: string[] = [];
  const checkpoints = { track: () => calls.push('track'), freeze: (id: string) => calls.push(`freeze ${id}`) };
  const seed = newSessionOf('a');
  const tracker = new ResumeTracker(seed, START, {
    aligner,
    link,
    checkpoints: hasCheckpoints ? checkpoints : undefined,
  });
  /** Reads a fragment that ends at `reachMs` of the call. */
  const read = (number: number, reachMs: number) => {
    aligner.reachMs = reachMs;
    tracker.note({ fragmentNumber: String(number), continuationToken: undefined, producerEpochMs: undefined });
  };
  const resumesAfter = (safeMs: number) => {
    link.safeMs = safeMs;
    return tracker.resumePoint().position.fragmentNumber;
  };
  return { tracker, aligner, link, calls, seed, read, resumesAfter };
}

test('a session resumes after the last fragment that is completely safe', (t) => {
  const { read, resumesAfter } = tracked();
  read(1, 1000);
  read(2, 2000);
  read(3, 3000);
  t.is(resumesAfter(0), '0');
  t.is(resumesAfter(999), '0');
  t.is(resumesAfter(1000), '1');
  t.is(resumesAfter(2500), '2');
  t.is(resumesAfter(9000), '3');
});

test('the resume point never moves back', (t) => {
  const { read, resumesAfter } = tracked();
  read(1, 1000);
  read(2, 2000);
  t.is(resumesAfter(2000), '2');
  t.is(resumesAfter(0), '2');
});

test('the resume point has the call time and the number of connections', (t) => {
  const { tracker, link } = tracked();
  link.safeMs = 1500;
  t.like(tracker.resumePoint(), { position: START, callClock: undefined, callMs: 1500, connections: 2 });
});

test('before the call has begun there is no checkpoint', (t) => {
  const { aligner, calls, read, resumesAfter } = tracked();
  aligner.hasBegun = false;
  read(1, 0);
  t.deepEqual(calls, []);
  aligner.hasBegun = true;
  read(2, 1000);
  t.deepEqual(calls, ['track']);
  t.is(resumesAfter(1000), '2');
});

test('a session that has stopped reading is frozen', (t) => {
  const { tracker, calls, seed } = tracked();
  tracker.freeze();
  t.deepEqual(calls, [`freeze ${seed.sessionId}`]);
});

test('without STATE_DIR nothing is tracked', (t) => {
  const { tracker, read, resumesAfter } = tracked({ hasCheckpoints: false });
  read(1, 1000);
  t.notThrows(() => tracker.freeze());
  t.is(resumesAfter(1000), '0');
});
