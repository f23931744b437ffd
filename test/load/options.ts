import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { TAG_PLACES, type TagPlace } from './fragments.ts';
import { MAX_CALLS } from './identity.ts';

/** A load run's command line. */
export interface Options {
  readonly calls: number;
  readonly seconds: number;
  /** Seconds that the calls run before they are measured. */
  readonly settle: number;
  /** Start requests per second. */
  readonly ramp: number;
  readonly faults: boolean;
  readonly tls: boolean;
  /** Where fragments have their ContactId. */
  readonly tags: TagPlace;
  /** The daemon relays Deepgram's results to a webhook; otherwise calls have a callback. */
  readonly results: boolean;
  /** With results also those that are not final. */
  readonly interims: boolean;
  /** With results: the daemon has the least of a relay instead (least-relay.ts), whose events nobody could use. */
  readonly least: boolean;
  readonly workers: number | undefined;
  readonly untilLag: boolean;
  readonly checkpoints: boolean;
  /** Number of calls whose every byte is compared. */
  readonly verify: number;
  readonly seed: number;
  readonly daemon: string;
  /** Callback and relay take turns. */
  readonly compareResults: boolean;
  /** Script of another daemon, which takes turns with `daemon`. */
  readonly against: string | undefined;
  readonly rounds: number;
  /** Start requests are those of the original's trigger; not by default. */
  readonly plainStarts?: boolean;
  /** Whether /metrics is compared with what was counted; by default it is. */
  readonly comparesMetrics?: boolean;
  /** Directory for CPU profiles of the daemon. */
  readonly profile: string | undefined;
  readonly json: boolean;
  readonly maxLagP99: number;
  readonly maxGaps: number;
  readonly maxCpu: number | undefined;
  readonly maxRss: number | undefined;
  readonly maxStartP99: number | undefined;
}

/** Exit code for invalid options. */
const EXIT_USAGE = 2;

const MAX_SECONDS = 6 * 60 * 60;
const MAX_RAMP = 1000;
const MAX_WORKERS = 256;
const MAX_ROUNDS = 100;
/** In ms or KiB. */
const MAX_THRESHOLD = 1_000_000;

/**
 * Reads the command line. Throws CommanderError, whose exit code is EXIT_USAGE if the command line is invalid.
 * @param complain gets the reason as text for a person
 */
export function readOptions(
  args: readonly string[],
  complain: (text: string) => void = (text) => process.stderr.write(text),
): Options {
  const command = new Command('load')
    .description('Runs a daemon under the load of many calls in real time and measures it from outside.')
    .option('--calls <n>', 'concurrent calls; with --until-lag, calls added per step', whole(1, MAX_CALLS), 100)
    .option('--seconds <s>', 'duration of the measurement', whole(1, MAX_SECONDS), 30)
    .option('--settle <s>', 'time that the calls run before they are measured', whole(0, MAX_SECONDS), 0)
    .option('--ramp <r>', 'start requests per second', whole(1, MAX_RAMP), 50)
    .option('--until-lag', 'add --calls more until --max-lag-p99 is exceeded', false)
    .option(
      '--faults',
      'break connections to Kinesis and Deepgram, and lose fragments, each for a tenth of the calls',
      false,
    )
    .option('--tls', 'HTTPS to Kinesis and WSS to Deepgram', false)
    .addOption(
      new Option('--tags <where>', 'where fragments have their ContactId, from the cluster')
        .choices(TAG_PLACES)
        .default('before'),
    )
    .option('--results', "relay Deepgram's results to a webhook: a final one per channel every 4 s", false)
    .option('--interims', 'with results, also one that is not final every second', false)
    .option('--least', 'with results, the least that any relay must do instead: read and post them', false)
    .option('--workers <w>', 'WORKERS of the daemon (default: its own)', whole(0, MAX_WORKERS))
    .option('--no-checkpoints', 'run without STATE_DIR, which the systemd unit sets')
    .option('--verify <n>', 'calls of which every byte is compared, not only the marks', whole(0, MAX_CALLS), 20)
    .option('--seed <n>', 'decides which calls break when', whole(0, 2 ** 31), 1)
    .option('--daemon <script>', 'script of the daemon: sources or a bundle', script, 'daemon/main.ts')
    .option('--compare-results', 'run a callback and --results by turns, and judge what the relay costs', false)
    .option(
      '--against <checkout>',
      'run the daemon of another checkout and --daemon by turns, and judge this one',
      checkout,
    )
    .option('--rounds <n>', 'runs of each side of a comparison', whole(1, MAX_ROUNDS), 5)
    .option('--profile <directory>', "write the daemon's CPU profiles there, for test/bench/hot.ts")
    .option('--json', 'print one JSON object', false)
    .option('--max-lag-p99 <ms>', 'fail above this lag', number, 250)
    .option('--max-gaps <ms>', 'fail above this much missing audio, all calls together', number, 0)
    .option('--max-cpu <ms>', 'fail above this CPU of the daemon per second of call', number)
    .option('--max-rss <KiB>', 'fail above this memory per call, compared with the idle daemon', number)
    .option('--max-start-p99 <ms>', 'fail above this start latency', number)
    .configureOutput({ writeErr: complain })
    .exitOverride();
  try {
    const options = command.parse(args, { from: 'user' }).opts<Options>();
    const hasOwnDaemon = command.getOptionValueSource('daemon') !== 'default';
    const conflict = options.least && hasOwnDaemon ? '--least has a daemon of its own' : conflictIn(options);
    if (conflict) command.error(`error: ${conflict}`);
    // A comparison judges lag by that of the other side.
    const isDefault = command.getOptionValueSource('maxLagP99') === 'default';
    const isComparison = options.compareResults || options.against !== undefined;
    return isComparison && isDefault ? { ...options, maxLagP99: MAX_THRESHOLD } : options;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode !== 0) error.exitCode = EXIT_USAGE;
    throw error;
  }
}

const CANNOT_COMBINE = [
  ['untilLag', 'faults'],
  ['results', 'faults'],
  ['compareResults', 'results'],
  ['compareResults', 'faults'],
  ['compareResults', 'untilLag'],
  ['compareResults', 'against'],
  ['against', 'results'],
  ['against', 'untilLag'],
] as const satisfies readonly (readonly [keyof Options, keyof Options])[];

function conflictIn(options: Options): string | undefined {
  const both = CANNOT_COMBINE.find(([one, other]) => options[one] && options[other]);
  if (both) return `${both.map(flagOf).join(' and ')} cannot be combined`;
  const hasResults = options.results || options.compareResults;
  const lacking = (['interims', 'least'] as const).find((name) => options[name] && !hasResults);
  return lacking && `${flagOf(lacking)} needs --results or --compare-results`;
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };
}

function number(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value <= MAX_THRESHOLD) return value;
  throw new InvalidArgumentError(`Give a number from 0 to ${MAX_THRESHOLD}.`);
}

function script(path: string): string {
  if (existsSync(path)) return path;
  throw new InvalidArgumentError('There is no such file.');
}

function checkout(path: string): string {
  const script = join(path, 'daemon/main.ts');
  if (existsSync(script)) return script;
  throw new InvalidArgumentError('It has no daemon/main.ts.');
}
