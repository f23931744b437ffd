import test from 'ava';
import type { Check } from '../../daemon/contract/control-api.ts';
import { Examinations } from '../../daemon/control/examinations.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const CHECK: Check = { name: 'deepgram', verdict: 'ok', detail: '' };

test('results are reused for a minute; an order always runs the checks', async (t) => {
  const clock = new VirtualClock();
  let runs = 0;
  const doctor = new Examinations(async () => {
    runs++;
    return [CHECK];
  }, clock);
  t.is(doctor.last, undefined);
  t.deepEqual(await doctor.recent(), { checks: [CHECK], atEpochMs: clock.epoch() });
  clock.forward(59_999);
  await doctor.recent();
  t.is(runs, 1);
  await doctor.fresh();
  t.is(runs, 2);
  clock.forward(60_000);
  await doctor.recent();
  t.is(runs, 3);
});

test('concurrent callers share one run, and a run that fails is not remembered', async (t) => {
  const run = Promise.withResolvers<readonly Check[]>();
  let runs = 0;
  const doctor = new Examinations(() => {
    runs++;
    return run.promise;
  }, new VirtualClock());
  const all = Promise.allSettled([doctor.fresh(), doctor.recent(), doctor.fresh()]);
  run.reject(new Error('odd'));
  t.true((await all).every(({ status }) => status === 'rejected'));
  t.is(runs, 1);
  await t.throwsAsync(doctor.recent());
  t.is(runs, 2);
});
