import test from 'ava';
import { align, faultsOf } from './heard-call.ts';
import { speak } from './random-calls.ts';
import { randomPlan } from './random-plans.ts';

/** `npm run prove:audio` tries thousands, of any seed. */
const SEED = 1;
const CALLS = 60;

test('random jitter, drift, absences, late starts and repetitions: every sample once, silence only where audio is absent', (t) => {
  for (let nth = 0; nth < CALLS; nth++) {
    const plan = randomPlan(SEED, nth);
    const call = speak(plan);
    t.deepEqual(faultsOf(call, align(call)), [], `call ${nth}: ${JSON.stringify(plan)}`);
  }
});
