/** `npm run prove:results -- --seeds 20 [--seed 1] [--reading exact] [--speed 8] [--minutes 10] [--at-once 2]`: calls
 *  between a daemon and the simulators of Kinesis Video, Deepgram and a consumer, each a process. Per call Deepgram breaks
 *  five times at random moments, the daemon is killed with -9 once, and the consumer is away for three minutes of the call
 *  and answers 500, 429 with Retry-After, or not at all. The consumer must have every final word exactly once by event id,
 *  in its order and at its time, numbers without a gap, and `session.ended` last. Prints a line per call and a verdict;
 *  exits with 1 if it failed. The call is played faster than real time: its audio and its troubles keep the pace of the
 *  call; the daemon's backoff and the consumer's time-outs keep that of the clock, so they take longer in it. */
import { parseArgs } from 'node:util';
import { playTroubledCall, READINGS, type Reading, type TroubledOutcome } from './troubled-call.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    reading: { type: 'string', default: 'all' },
    speed: { type: 'string', default: '8' },
    minutes: { type: 'string', default: '10' },
    'at-once': { type: 'string', default: '2' },
  },
});
const [seeds, firstSeed, speed, minutes] = [values.seeds, values.seed, values.speed, values.minutes].map(Number) as [
  number,
  number,
  number,
  number,
];
const all = Object.keys(READINGS) as Reading[];
// A Deepgram that stalls at every connection is another proof.
const usual = all.filter((reading) => reading !== 'stalled');
const readings = values.reading === 'all' ? usual : all.filter((reading) => reading === values.reading);
if (readings.length === 0) throw new Error(`--reading is all or one of ${all.join(', ')}`);

const calls = Array.from({ length: seeds }, (_, nth) => nth + firstSeed).flatMap((seed) =>
  readings.map((reading) => ({ seed, reading })),
);
const waiting = [...calls];
let [passed, words] = [0, 0];
await Promise.all(Array.from({ length: Number(values['at-once']) }, playNext));
const verdict = passed === calls.length ? 'passed' : 'FAILED';
process.stdout.write(
  `${verdict}: ${passed} of ${calls.length} calls of ${minutes} minutes had every final word once (${words} words; ` +
    `played at ${speed} times real time)\n`,
);
if (passed < calls.length) process.exitCode = 1;

async function playNext(): Promise<void> {
  for (let call = waiting.shift(); call; call = waiting.shift()) {
    const outcome = await playTroubledCall({ ...call, speed, minutes });
    words += outcome.words;
    if (outcome.faults.length === 0) passed++;
    process.stdout.write(lineOf(call, outcome));
  }
}

function lineOf({ seed, reading }: { seed: number; reading: Reading }, outcome: TroubledOutcome): string {
  const { faults, troubles, finals, failed, requests, repeats } = outcome;
  const { breaksMs, killMs, awayMs, failingMs } = troubles;
  return [
    `${faults.length === 0 ? 'passed' : 'FAILED'}: seed ${seed}, ${reading}: ${outcome.words} words in ${finals} finals; `,
    `breaks at ${breaksMs.map(clockTime).join(', ')}; killed at ${clockTime(killMs)}; consumer away at `,
    `${clockTime(awayMs)}, failing at ${clockTime(failingMs)}: ${failed} of ${requests} requests failed, `,
    `${repeats} events came again\n`,
    ...faults.map((fault) => `  ${fault}\n`),
  ].join('');
}

function clockTime(ms: number): string {
  return `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`;
}
