import test from 'ava';
import { A, B, Call, MINUTE_MS, place } from './place.ts';

test('without sessions the age is 0', (t) => {
  t.is(place().thread('main').oldestAgeMs, 0);
});

test('the age is that of the oldest checkpoint of a running session', async (t) => {
  const { clock, memory, thread } = place();
  // Keeps writes from finishing.
  memory.gate = new Promise(() => {});
  const checkpoints = thread('main');
  checkpoints.track(new Call(A, 1));
  clock.forward(3000);
  checkpoints.track(new Call(B, 1));
  clock.forward(500);
  t.is(checkpoints.oldestAgeMs, 3500);
});

test('an ended session has no checkpoint age', async (t) => {
  const { clock, thread } = place();
  const checkpoints = thread('main');
  checkpoints.track(new Call(A, 1));
  clock.forward(500);
  await checkpoints.remove(A);
  t.is(checkpoints.oldestAgeMs, 0);
});

test('a write resets the age of all checkpoints except those of frozen sessions', async (t) => {
  const { clock, thread } = place();
  const checkpoints = thread('main');
  checkpoints.track(new Call(A, 1));
  checkpoints.track(new Call(B, 1));
  clock.forward(3000);
  t.true(await checkpoints.flush());
  t.is(checkpoints.oldestAgeMs, 0);
  checkpoints.freeze(A);
  clock.forward(2000);
  t.true(await checkpoints.flush());
  t.is(checkpoints.oldestAgeMs, 2000);
  await checkpoints.remove(A);
  t.is(checkpoints.oldestAgeMs, 0);
});

test('a checkpoint that cannot be written ages from the first attempt', async (t) => {
  const { clock, memory, thread } = place();
  memory.failure = new Error('ENOSPC');
  const checkpoints = thread('main');
  checkpoints.track(new Call(A, 1));
  clock.forward(MINUTE_MS);
  t.false(await checkpoints.flush());
  t.is(checkpoints.oldestAgeMs, MINUTE_MS);
});
