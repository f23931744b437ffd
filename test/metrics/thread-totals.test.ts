import test from 'ava';
import { Threads } from '../../daemon/metrics/thread-totals.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { busyThread } from './busy-thread.ts';

test('the counts of a thread stay in the sum when it has ended; its checkpoints and its lag do not', async (t) => {
  const threads = new Threads(new VirtualClock());
  threads.join(() => busyThread(1).snapshot(100, 40));
  const dying = threads.join(() => busyThread(2).snapshot(900, 4000));
  t.like(await threads.sum(), { checkpointAgeMs: 900, lagNowMs: 4000 });
  dying.leave();
  dying.leave();
  t.deepEqual(await threads.sum(), busyThread(3).snapshot(100, 40));
});

test('of a thread that died before it was read, the counts that it last reported are used', async (t) => {
  const threads = new Threads(new VirtualClock());
  const dying = threads.join(() => Promise.reject(new Error('the worker has exited')));
  dying.note(busyThread(4).snapshot());
  t.deepEqual(await threads.sum(), busyThread(4).snapshot());
  dying.leave();
  t.deepEqual(await threads.sum(), busyThread(4).snapshot());
});

test('of a thread that does not respond within a second, the last known counts are used', async (t) => {
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

test('a response that comes after its thread has ended is not counted twice', async (t) => {
  const clock = new VirtualClock();
  const threads = new Threads(clock);
  const response = Promise.withResolvers<ReturnType<ReturnType<typeof busyThread>['snapshot']>>();
  const leaving = threads.join(() => response.promise);
  leaving.note(busyThread(2).snapshot());
  const sum = threads.sum();
  leaving.leave();
  response.resolve(busyThread(5).snapshot());
  await sum;
  t.deepEqual(await threads.sum(), busyThread(2).snapshot());
});
