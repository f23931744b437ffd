import test from 'ava';
import { DeepgramRefused } from '../../daemon/deepgram/errors.ts';
import { Distribution } from '../../daemon/metrics/distribution.ts';
import { handshakeRefusal, LAG_BOUNDS_MS, SessionMetrics, together } from '../../daemon/metrics/session-metrics.ts';
import { difference } from '../../daemon/metrics/sums.ts';
import { Threads } from '../../daemon/metrics/thread-totals.ts';

/** A thread that has done some of everything, `times` over. */
function busyThread(times: number): SessionMetrics {
  const metrics = new SessionMetrics();
  for (let i = 0; i < times; i++) {
    metrics.sessionStarted('start');
    metrics.sessionCompleted('no-more-fragments');
    metrics.sessionFailed(new DeepgramRefused(401, undefined, undefined));
    metrics.heard(0, 16);
    metrics.heard(1, 32);
    metrics.hole('corrupt', 64);
    metrics.reconnected(1011);
    metrics.handshakeFailed('429');
    metrics.lagMs.observe(40);
    metrics.behindNow(700);
    metrics.audioOutBytes += 32;
    metrics.keepAlives++;
  }
  return metrics;
}

test('the counts of two threads add up, number by number', (t) => {
  const sum = together(busyThread(2).snapshot(), busyThread(3).snapshot());
  t.deepEqual(sum, busyThread(5).snapshot());
  t.like(sum.counts, { audioInMs: [5, 10], audioOutMs: 5, keepAlives: 5 });
});

test('of two threads the older checkpoint counts', (t) => {
  const [young, old] = [busyThread(1).snapshot(300), busyThread(1).snapshot(900)];
  t.is(together(young, old).checkpointAgeMs, 900);
  t.is(together(old, young).checkpointAgeMs, 900);
});

test('what has come since a moment is the difference to it', (t) => {
  t.deepEqual(
    difference(busyThread(5).snapshot().counts, busyThread(2).snapshot().counts),
    busyThread(3).snapshot().counts,
  );
});

test('a snapshot stays as it was, and a message can carry it', (t) => {
  const metrics = busyThread(1);
  const snapshot = metrics.snapshot();
  metrics.heard(0, 1600);
  metrics.lagMs.observe(10);
  metrics.hole('missing', 1);
  t.deepEqual(structuredClone(snapshot), busyThread(1).snapshot());
});

test('a value falls into the first bucket whose bound it does not exceed', (t) => {
  const distribution = new Distribution([10, 20]);
  for (const value of [0, 10, 10.5, 20, 21, 1e9]) distribution.observe(value);
  t.deepEqual(distribution.snapshot(), { counts: [2, 2, 2], sums: [10, 30.5, 1e9 + 21] });
});

test('the bounds of the lag ascend and reach to 10 s', (t) => {
  t.deepEqual(
    [...LAG_BOUNDS_MS].sort((a, b) => a - b),
    [...LAG_BOUNDS_MS],
  );
  t.is(LAG_BOUNDS_MS.at(-1), 10_000);
});

test('whatever comes from outside falls into a fixed set of names', (t) => {
  const metrics = new SessionMetrics();
  for (const code of [1006, 1011, 4711, Number.NaN]) metrics.reconnected(code);
  for (const status of [401, 418, 503, 599]) metrics.handshakeFailed(handshakeRefusal(status));
  metrics.handshakeFailed('unreachable');
  metrics.sessionFailed(new TypeError('of our own'));
  metrics.sessionFailed('not even an error');
  for (const behindMs of [Number.NaN, -1, Infinity]) metrics.behindNow(behindMs);
  const { reconnects, refusals, sessionsFailed, behindNowMs } = metrics.snapshot().counts;
  t.like(reconnects, { 1006: 1, 1011: 1, other: 2 });
  t.like(refusals, { 401: 1, other: 1, '5xx': 2, unreachable: 1 });
  t.is(sessionsFailed.other, 2);
  t.is(Math.max(...behindNowMs.counts), 0);
});

test('what a thread has counted stays counted when it is gone; its checkpoints do not', async (t) => {
  const threads = new Threads();
  threads.join(() => busyThread(1).snapshot(100));
  const dying = threads.join(() => busyThread(2).snapshot(900));
  t.is((await threads.sum()).checkpointAgeMs, 900);
  dying.leave();
  dying.leave();
  t.deepEqual(await threads.sum(), busyThread(3).snapshot(100));
});

test('a thread that died before it could be asked is counted as it last told by itself', async (t) => {
  const threads = new Threads();
  const dying = threads.join(() => Promise.reject(new Error('the worker has exited')));
  dying.note(busyThread(4).snapshot());
  t.deepEqual(await threads.sum(), busyThread(4).snapshot());
  dying.leave();
  t.deepEqual(await threads.sum(), busyThread(4).snapshot());
});

test('a thread that does not answer is taken as it was last seen', async (t) => {
  const threads = new Threads();
  const busy = threads.join(() => new Promise<never>(() => {}));
  threads.join(() => busyThread(1).snapshot());
  busy.note(busyThread(2).snapshot());
  t.deepEqual(await threads.sum(), busyThread(3).snapshot());
});
