import test from 'ava';
import { Admission, AtCapacity } from '../../daemon/admission/admission.ts';
import { Drain } from '../../daemon/admission/drain.ts';
import { createLog } from '../../daemon/log/log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const MAX_SESSIONS = 2;
const HEALTH_LAG_MS = 20_000;

function admissionOf() {
  const clock = new VirtualClock();
  const sessions = { size: () => 1, longestCallMs: () => 0, endRemaining: () => {} };
  const drain = new Drain(sessions, clock, createLog('silent'), HEALTH_LAG_MS);
  const admission = new Admission(MAX_SESSIONS, drain, clock);
  /** What the load balancer and a start get to hear while that many sessions run. */
  const heard = (sessions: number) => [admission.healthStatus(sessions), admission.refusal(sessions)];
  return { clock, drain, admission, heard };
}

const ORDER = { source: 'operator', reason: 'update', deadlineAtEpochMs: undefined } as const;

test('starts are accepted up to MAX_SESSIONS', (t) => {
  const { heard } = admissionOf();
  t.deepEqual(heard(0), [undefined, undefined]);
  t.deepEqual(heard(MAX_SESSIONS - 1), [undefined, undefined]);
  t.deepEqual(heard(MAX_SESSIONS), ['full', 'full']);
  t.deepEqual(heard(MAX_SESSIONS + 1), ['full', 'full'], 'resumed sessions count, and are always admitted');
});

test('a cordoned daemon accepts no start until it is uncordoned', (t) => {
  const { clock, admission, heard } = admissionOf();
  const sinceEpochMs = clock.epoch();
  admission.cordon('kernel update');
  t.deepEqual(heard(0), ['cordoned', 'cordoned']);
  t.deepEqual(heard(MAX_SESSIONS), ['cordoned', 'cordoned']);
  t.deepEqual(admission.currentCordon, { sinceEpochMs, reason: 'kernel update' });
  admission.uncordon();
  t.deepEqual(heard(0), [undefined, undefined]);
  t.is(admission.currentCordon, undefined);
});

test('a second cordon does not change since when and why', async (t) => {
  const { clock, admission } = admissionOf();
  admission.cordon('the first reason');
  const first = admission.currentCordon;
  await clock.advance(1000);
  admission.cordon('the second reason');
  t.deepEqual(admission.currentCordon, first);
});

test('a drain fails the health check at once, and refuses starts once the load balancer can know', async (t) => {
  const { clock, drain, heard } = admissionOf();
  drain.begin(ORDER);
  t.deepEqual(heard(0), ['draining', undefined]);
  t.deepEqual(heard(MAX_SESSIONS), ['draining', 'full'], 'not beyond its capacity');
  await clock.advance(HEALTH_LAG_MS);
  t.deepEqual(heard(0), ['draining', 'draining']);
  drain.cancel();
  t.deepEqual(heard(0), [undefined, undefined]);
});

test('a refused start says why', (t) => {
  const error = new AtCapacity('cordoned');
  t.is(error.reason, 'cordoned');
  t.regex(error.message, /cordoned/);
});
