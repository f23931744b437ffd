/** `npm run prove:audio -- --calls 10000 --seed 7`: aligns random calls (random-plans.ts) and prints those that came out
 *  wrong, then a verdict; exits with 1 if there was one. `--first 1110 --calls 1` repeats a single one. */
import { parseArgs } from 'node:util';
import { align, faultsOf } from './heard-call.ts';
import { speak } from './random-calls.ts';
import { randomPlan } from './random-plans.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
  },
});
const [calls, seed, first] = [Number(values.calls), Number(values.seed), Number(values.first)];
const MOST_SHOWN = 10;

let wrong = 0;
for (let nth = first; nth < first + calls; nth++) {
  const plan = randomPlan(seed, nth);
  const call = speak(plan);
  const faults = faultsOf(call, align(call));
  if (faults.length === 0) continue;
  wrong++;
  if (wrong <= MOST_SHOWN) process.stdout.write(`call ${nth}: ${faults.join('; ')}: ${JSON.stringify(plan)}\n`);
}
const verdict = wrong === 0 ? 'passed' : 'FAILED';
process.stdout.write(`${verdict}: ${wrong} of ${calls} random calls came out wrong (seed ${seed})\n`);
if (wrong > 0) process.exitCode = 1;
