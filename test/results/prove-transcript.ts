/** `npm run prove:transcript -- --calls 10000 --seed 7 [--each-word]`: lets Deepgram hear random conversations over
 *  connections that break (random-conversation.ts), and prints those that the relay got wrong, then a verdict; exits with
 *  1 if it failed. With exact times and nothing misheard not one may be wrong. Where times are shifted, words next to a
 *  cut misheard and numbers merged over it, a cut next to equal words cannot always be told: at most 1 in 1,000 calls. */
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
let wrongExact = 0;
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
  if (reading.shiftMs === 0 && reading.misheard === 0 && !reading.mergesNumbers) wrongExact++;
  if (wrong <= MOST_SHOWN)
    process.stdout.write(`call ${nth}: ${faults.join('; ')}: ${JSON.stringify({ breaksMs, ...reading })}\n`);
}
const hasPassed = wrongExact === 0 && wrong <= calls / (values['each-word'] ? 200 : 1000);
const verdict = hasPassed ? 'passed' : 'FAILED';
process.stdout.write(
  `${verdict}: ${wrong} of ${calls} random calls came out wrong (seed ${seed}; ${words} words, ${dropped} repeats left out)\n`,
);
if (!hasPassed) process.exitCode = 1;
