import test from 'ava';
import { Admission, AtCapacity } from '../../daemon/admission/admission.ts';
import { Drain } from '../../daemon/admission/drain.ts';
import type { Cordon, OrderStore } from '../../daemon/admission/orders.ts';
import { CutOff } from '../../daemon/admission/reach.ts';
import { createLog } from '../../daemon/log/log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const MAX_SESSIONS = 2;
const HEALTH_LAG_MS = 20_000;

function admissionOf(maxSessions = MAX_SESSIONS, cordonStore?: OrderStore<Cordon>) {
  const clock = new VirtualClock();
  const sessions = { size: () => 1, mayBeSent: () => true, longestCallMs: () => 0, endRemaining: () => {} };
  const drain = new Drain(sessions, clock, createLog('silent'), HEALTH_LAG_MS);
  const reach: { cutOff: CutOff | undefined } = { cutOff: undefined };
  const admission = new Admission({ maxSessions, healthLagMs: HEALTH_LAG_MS, drain, reach, clock, cordonStore });
  /** The health status and the refusal of a start, with that many sessions running. */
  const statusWith = (sessions: number) => [admission.healthStatus(sessions), admission.refusal(sessions)];
  return { clock, drain, reach, admission, statusWith };
}

const ORDER = { source: 'operator', reason: 'update', deadlineAtEpochMs: undefined } as const;

test('starts are accepted up to MAX_SESSIONS', (t) => {
  const { statusWith } = admissionOf();
  t.deepEqual(statusWith(0), [undefined, undefined]);
  t.deepEqual(statusWith(MAX_SESSIONS - 1), [undefined, undefined]);
  t.deepEqual(statusWith(MAX_SESSIONS), ['full', 'full']);
  t.deepEqual(statusWith(MAX_SESSIONS + 1), ['full', 'full'], 'resumed sessions count too');
});

test('a cordoned daemon fails the health check at once, and refuses starts after the health lag', async (t) => {
  const { clock, admission, statusWith } = admissionOf();
  const sinceEpochMs = clock.epoch();
  await admission.cordon('kernel update');
  t.deepEqual(statusWith(0), ['cordoned', undefined]);
  t.deepEqual(statusWith(MAX_SESSIONS), ['cordoned', 'full']);
  await clock.advance(HEALTH_LAG_MS - 1);
  t.deepEqual(statusWith(0), ['cordoned', undefined]);
  await clock.advance(1);
  t.deepEqual(statusWith(0), ['cordoned', 'cordoned']);
  t.deepEqual(admission.currentCordon, { sinceEpochMs, reason: 'kernel update' });
  await admission.uncordon();
  t.deepEqual(statusWith(0), [undefined, undefined]);
  t.is(admission.currentCordon, undefined);
});

test('a nearly full daemon fails the health check while the starts expected within the health lag would not fit', async (t) => {
  const { clock, admission } = admissionOf(100);
  let sessions = 80;
  const status = () => [admission.healthStatus(sessions), admission.refusal(sessions)];
  for (; sessions < 94; admission.started(sessions)) {
    await clock.advance(HEALTH_LAG_MS / 4);
    sessions++;
  }
  t.deepEqual(status(), [undefined, undefined], '4 more are expected, and fit');
  await clock.advance(HEALTH_LAG_MS / 4);
  admission.started(++sessions);
  await clock.advance(HEALTH_LAG_MS / 4);
  admission.started(++sessions);
  t.deepEqual(status(), ['full', undefined]);
  sessions = 100;
  admission.started(sessions);
  t.deepEqual(status(), ['full', 'full']);
  for (; sessions > 92; admission.ended(sessions)) sessions--;
  t.deepEqual(status(), ['full', undefined], 'not at every call that ends');
  sessions = 89;
  admission.ended(sessions);
  t.deepEqual(status(), [undefined, undefined]);
});

test('a burst keeps at most a tenth of the sessions free, and slow starts keep one', async (t) => {
  const { clock, admission } = admissionOf(100);
  for (let sessions = 1; sessions < 90; sessions++) admission.started(sessions);
  t.is(admission.healthStatus(89), undefined);
  admission.started(90);
  t.is(admission.healthStatus(90), 'full');

  const slow = admissionOf(100).admission;
  await clock.advance(HEALTH_LAG_MS);
  slow.started(98);
  t.is(slow.healthStatus(98), undefined);
});

test('a daemon that is not ready fails the health check, and starts are tried', (t) => {
  const { admission, statusWith } = admissionOf();
  admission.setNotReady('no credentials');
  t.deepEqual(statusWith(0), ['not-ready', undefined]);
  admission.setNotReady(undefined);
  t.deepEqual(statusWith(0), [undefined, undefined]);
});

test('an instance that is cut off fails the health check until it is not', (t) => {
  const { reach, statusWith } = admissionOf();
  reach.cutOff = new CutOff(new Error('no route'));
  t.is(statusWith(0)[0], 'cut-off');
  reach.cutOff = undefined;
  t.deepEqual(statusWith(0), [undefined, undefined]);
});

test('a cordon is kept for the next process, whose health lag counts from the order', async (t) => {
  const kept: { cordon: Cordon | undefined } = { cordon: undefined };
  const cordonStore = {
    save: async (cordon: Cordon) => {
      kept.cordon = cordon;
    },
    clear: async () => {
      kept.cordon = undefined;
    },
  };
  const { clock, admission } = admissionOf(MAX_SESSIONS, cordonStore);
  await admission.cordon('bad disk');
  await admission.cordon('another reason');
  const restored = admissionOf(MAX_SESSIONS, cordonStore);
  await restored.clock.advance(HEALTH_LAG_MS - 1);
  restored.admission.restoreCordon(kept.cordon as Cordon);
  t.deepEqual(restored.admission.currentCordon, { sinceEpochMs: clock.epoch(), reason: 'bad disk' });
  t.deepEqual(restored.statusWith(0), ['cordoned', undefined]);
  await restored.clock.advance(1);
  t.deepEqual(restored.statusWith(0), ['cordoned', 'cordoned']);
  await restored.admission.uncordon();
  t.is(kept.cordon, undefined);
});

test('a second cordon keeps the time and the reason of the first', async (t) => {
  const { clock, admission } = admissionOf();
  await admission.cordon('the first reason');
  const first = admission.currentCordon;
  await clock.advance(1000);
  await admission.cordon('the second reason');
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
