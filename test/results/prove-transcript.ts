/** `npm run prove:transcript -- --calls 10000 --seed 7`: random conversations over connections that break
 *  (random-conversation.ts) through the relay; prints those that came out wrong, then a verdict; exits with 1 if there
 *  was one. */
import { parseArgs } from 'node:util';
import { faultsOf, hear } from './heard-conversation.ts';
import { randomConversation } from './random-conversation.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    'each-word': { type: 'boolean', default: false },
  },
});
const [calls, seed] = [Number(values.calls), Number(values.seed)];
const MOST_SHOWN = 10;

let wrong = 0;
let words = 0;
let dropped = 0;
for (let nth = 0; nth < calls; nth++) {
  const conversation = randomConversation(seed, nth, values['each-word']);
  const log = hear(conversation);
  for (const final of log.finals) {
    words += final.words.length;
    dropped += final.dropped;
  }
  const faults = faultsOf(conversation, log);
  if (faults.length === 0) continue;
  wrong++;
  const { breaksMs, reading } = conversation;
  if (wrong <= MOST_SHOWN)
    process.stdout.write(`call ${nth}: ${faults.join('; ')}: ${JSON.stringify({ breaksMs, ...reading })}\n`);
}
const verdict = wrong === 0 ? 'passed' : 'FAILED';
process.stdout.write(
  `${verdict}: ${wrong} of ${calls} random calls came out wrong (seed ${seed}; ${words} words, ${dropped} repeats left out)\n`,
);
if (wrong > 0) process.exitCode = 1;
