import test from 'ava';
import { Distribution } from '../../daemon/metrics/distribution.ts';
import { handshakeRefusal, LAG_BOUNDS_MS, SessionMetrics, together } from '../../daemon/metrics/session-metrics.ts';
import { difference } from '../../daemon/metrics/sums.ts';
import { busyThread } from './busy-thread.ts';

test('the counts of two threads are added number by number', (t) => {
  const sum = together(busyThread(2).snapshot(), busyThread(3).snapshot());
  t.deepEqual(sum, busyThread(5).snapshot());
  t.like(sum.counts, { audioInMs: [5, 10], audioOutMs: 5, keepAlives: 5 });
});

test('the older checkpoint of two threads counts', (t) => {
  const [young, old] = [busyThread(1).snapshot(300), busyThread(1).snapshot(900)];
  t.is(together(young, old).checkpointAgeMs, 900);
  t.is(together(old, young).checkpointAgeMs, 900);
});

test('counts since a moment are the difference of two readings', (t) => {
  t.deepEqual(
    difference(busyThread(5).snapshot().counts, busyThread(2).snapshot().counts),
    busyThread(3).snapshot().counts,
  );
});

test('a snapshot does not change, and can be cloned', (t) => {
  const metrics = busyThread(1);
  const snapshot = metrics.snapshot();
  metrics.audioReceived(0, 1600);
  metrics.lagMs.observe(10);
  metrics.gap('missing', 1);
  t.deepEqual(structuredClone(snapshot), busyThread(1).snapshot());
});

test('a value falls into the first bucket whose bound it does not exceed', (t) => {
  const distribution = new Distribution([10, 20]);
  for (const value of [0, 10, 10.5, 20, 21, 1e9]) distribution.observe(value);
  t.deepEqual(distribution.snapshot(), { counts: [2, 2, 2], sums: [10, 30.5, 1e9 + 21] });
});

test('the bounds of the lag are ascending, up to a minute', (t) => {
  t.deepEqual(
    [...LAG_BOUNDS_MS].sort((a, b) => a - b),
    [...LAG_BOUNDS_MS],
  );
  t.is(LAG_BOUNDS_MS.at(-1), 60_000);
});

test('values from outside map to a fixed set of names', (t) => {
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
