import test from 'ava';
import { Threads } from '../../daemon/metrics/thread-totals.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { busyThread } from './busy-thread.ts';

test('what a thread has counted stays counted when it is gone; its checkpoints do not', async (t) => {
  const threads = new Threads(new VirtualClock());
  threads.join(() => busyThread(1).snapshot(100));
  const dying = threads.join(() => busyThread(2).snapshot(900));
  t.is((await threads.sum()).checkpointAgeMs, 900);
  dying.leave();
  dying.leave();
  t.deepEqual(await threads.sum(), busyThread(3).snapshot(100));
});

test('a thread that died before it could answer counts as it last reported by itself', async (t) => {
  const threads = new Threads(new VirtualClock());
  const dying = threads.join(() => Promise.reject(new Error('the worker has exited')));
  dying.note(busyThread(4).snapshot());
  t.deepEqual(await threads.sum(), busyThread(4).snapshot());
  dying.leave();
  t.deepEqual(await threads.sum(), busyThread(4).snapshot());
});

test('a thread that does not answer within a second counts as it was last known', async (t) => {
  const clock = new VirtualClock();
  const threads = new Threads(clock);
  const busy = threads.join(() => new Promise<never>(() => {}));
  threads.join(() => busyThread(1).snapshot());
  busy.note(busyThread(2).snapshot());
  let isSummed = false;
  const sum = threads.sum().finally(() => {
    isSummed = true;
  });
  await clock.advance(999);
  t.false(isSummed);
  await clock.advance(1);
  t.deepEqual(await sum, busyThread(3).snapshot());
});

test('an answer that comes after its thread has left is not counted twice', async (t) => {
  const clock = new VirtualClock();
  const threads = new Threads(clock);
  const answer = Promise.withResolvers<ReturnType<ReturnType<typeof busyThread>['snapshot']>>();
  const leaving = threads.join(() => answer.promise);
  leaving.note(busyThread(2).snapshot());
  const sum = threads.sum();
  leaving.leave();
  answer.resolve(busyThread(5).snapshot());
  await sum;
  t.deepEqual(await threads.sum(), busyThread(2).snapshot());
});
