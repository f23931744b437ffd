import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { MAX_CALLS } from './identity.ts';

/** What a load run was asked to do. */
export interface Options {
  readonly calls: number;
  readonly seconds: number;
  /** Starts per second. */
  readonly ramp: number;
  readonly faults: boolean;
  readonly tls: boolean;
  readonly workers: number | undefined;
  readonly untilLag: boolean;
  readonly checkpoints: boolean;
  /** Calls whose every byte is compared. */
  readonly verify: number;
  readonly seed: number;
  readonly daemon: string;
  readonly json: boolean;
  readonly maxLagP99: number;
  readonly maxHoles: number;
  readonly maxCpu: number | undefined;
  readonly maxRss: number | undefined;
  readonly maxStartP99: number | undefined;
}

/** What the options say is not to be had. */
export const EXIT_USAGE = 2;

const MAX_SECONDS = 6 * 60 * 60;
const MAX_RAMP = 1000;
const MAX_WORKERS = 256;
/** Milliseconds and KiB: more than any machine could need. */
const MAX_THRESHOLD = 1_000_000;

/** Reads the command line; ends the process with a message and 2 when it is wrong. */
export function readOptions(argv: readonly string[]): Options {
  const command = new Command('load')
    .description('Runs a daemon under the load of many calls in real time, and measures it from outside.')
    .option('--calls <n>', 'calls at once; with --until-lag: how many are added at a time', whole(1, MAX_CALLS), 100)
    .option('--seconds <s>', 'how long all of them are measured', whole(1, MAX_SECONDS), 30)
    .option('--ramp <r>', 'starts per second', whole(1, MAX_RAMP), 50)
    .option('--until-lag', 'add --calls again and again until a threshold of lag or holes is passed', false)
    .option('--faults', 'break connections to Kinesis and to Deepgram of a tenth of the calls each', false)
    .option('--tls', 'HTTPS to Kinesis and WSS to Deepgram', false)
    .option('--workers <w>', 'the WORKERS setting of the daemon; its own default without', whole(0, MAX_WORKERS))
    .option('--no-checkpoints', 'without STATE_DIR, which the systemd unit sets')
    .option('--verify <n>', 'calls of which every byte is compared; of the others the marks', whole(0, MAX_CALLS), 20)
    .option('--seed <n>', 'decides which calls are broken when', whole(0, 2 ** 31), 1)
    .option('--daemon <script>', 'what to run: the sources or a bundle', script, 'daemon/main.ts')
    .option('--json', 'print one JSON object', false)
    .option('--max-lag-p99 <ms>', 'fail above it', number, 250)
    .option('--max-holes <ms>', 'fail above it: audio that did not arrive, of all calls together', number, 0)
    .option('--max-cpu <ms>', 'fail above it: CPU of the daemon per second of call', number)
    .option('--max-rss <KiB>', 'fail above it: memory per call above the idle daemon', number)
    .option('--max-start-p99 <ms>', 'fail above it', number)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));
  const options = command.parse(argv).opts<Options>();
  if (options.untilLag && options.faults)
    command.error("error: --until-lag and --faults: a run's figures are of one of them");
  return options;
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
