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
  /** The health status and the refusal of a start, with that many sessions running. */
  const statusWith = (sessions: number) => [admission.healthStatus(sessions), admission.refusal(sessions)];
  return { clock, drain, admission, statusWith };
}

const ORDER = { source: 'operator', reason: 'update', deadlineAtEpochMs: undefined } as const;

test('starts are accepted up to MAX_SESSIONS', (t) => {
  const { statusWith } = admissionOf();
  t.deepEqual(statusWith(0), [undefined, undefined]);
  t.deepEqual(statusWith(MAX_SESSIONS - 1), [undefined, undefined]);
  t.deepEqual(statusWith(MAX_SESSIONS), ['full', 'full']);
  t.deepEqual(statusWith(MAX_SESSIONS + 1), ['full', 'full'], 'resumed sessions count too');
});

test('a cordoned daemon accepts no starts until it is uncordoned', (t) => {
  const { clock, admission, statusWith } = admissionOf();
  const sinceEpochMs = clock.epoch();
  admission.cordon('kernel update');
  t.deepEqual(statusWith(0), ['cordoned', 'cordoned']);
  t.deepEqual(statusWith(MAX_SESSIONS), ['cordoned', 'cordoned']);
  t.deepEqual(admission.currentCordon, { sinceEpochMs, reason: 'kernel update' });
  admission.uncordon();
  t.deepEqual(statusWith(0), [undefined, undefined]);
  t.is(admission.currentCordon, undefined);
});

test('a second cordon keeps the time and the reason of the first', async (t) => {
  const { clock, admission } = admissionOf();
  admission.cordon('the first reason');
  const first = admission.currentCordon;
  await clock.advance(1000);
  admission.cordon('the second reason');
  t.deepEqual(admission.currentCordon, first);
});

test('a drain fails the health check at once, and refuses starts after the health lag', async (t) => {
  const { clock, drain, statusWith } = admissionOf();
  drain.begin(ORDER);
  t.deepEqual(statusWith(0), ['draining', undefined]);
  t.deepEqual(statusWith(MAX_SESSIONS), ['draining', 'full'], 'a full daemon refuses, draining or not');
  await clock.advance(HEALTH_LAG_MS);
  t.deepEqual(statusWith(0), ['draining', 'draining']);
  drain.cancel();
  t.deepEqual(statusWith(0), [undefined, undefined]);
});

test('a refusal has a reason', (t) => {
  const error = new AtCapacity('cordoned');
  t.is(error.reason, 'cordoned');
  t.regex(error.message, /cordoned/);
});
