import test from 'ava';
import { A, B, Call, MINUTE_MS, place } from './place.ts';

test('without a session there is no checkpoint that could be old', (t) => {
  t.is(place().thread('main').oldestAgeMs, 0);
});

test('the age is that of the oldest checkpoint of a running session', async (t) => {
  const { clock, memory, thread } = place();
  // Nothing is written meanwhile.
  memory.gate = new Promise(() => {});
  const checkpoints = thread('main');
  checkpoints.track(new Call(A, 1));
  clock.forward(3000);
  checkpoints.track(new Call(B, 1));
  clock.forward(500);
  t.is(checkpoints.oldestAgeMs, 3500);
});

test('the checkpoint of a session that has ended has no age', async (t) => {
  const { clock, thread } = place();
  const checkpoints = thread('main');
  checkpoints.track(new Call(A, 1));
  clock.forward(500);
  await checkpoints.remove(A);
  t.is(checkpoints.oldestAgeMs, 0);
});

test('a write makes the checkpoints of all sessions young but those of frozen ones: they read no more', async (t) => {
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

test('a checkpoint that cannot be written grows old from the first attempt on', async (t) => {
  const { clock, memory, thread } = place();
  memory.failure = new Error('ENOSPC');
  const checkpoints = thread('main');
  checkpoints.track(new Call(A, 1));
  clock.forward(MINUTE_MS);
  t.false(await checkpoints.flush());
  t.is(checkpoints.oldestAgeMs, MINUTE_MS);
});
