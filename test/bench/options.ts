import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { BLOCK_MS } from '../load/sound.ts';

const STAGES = ['demux', 'align', 'link', 'whole'] as const;
export type Stage = (typeof STAGES)[number];

export interface Options {
  readonly rounds: number;
  readonly calls: number;
  /** Duration of a measurement in real time. */
  readonly seconds: number;
  readonly chunkMs: readonly number[];
  readonly only: readonly Stage[];
  /** Contenders to compare; empty means all. */
  readonly contenders: readonly string[];
  readonly json: boolean;
  readonly check: boolean;
  /** Directory for CPU profiles of the measured processes. */
  readonly profile: string | undefined;
}

/** Bad usage, by convention of shells. */
const EXIT_USAGE = 2;
/** Longer chunks have never been observed. */
const LONGEST_CHUNK_MS = 25 * BLOCK_MS;

/**
 * Reads the command line. Throws CommanderError, whose exit code is EXIT_USAGE if the command line is invalid.
 * @param complain gets the reason as text for a person
 */
export function readOptions(
  args: readonly string[],
  contenders: readonly string[],
  complain: (text: string) => void = (text) => process.stderr.write(text),
): Options {
  const command = new Command('bench')
    .description('Measures the CPU of integratord per second of call, next to what a Node user would write today.')
    .option('--rounds <number>', 'measurements of each contender; the median counts', whole(1, 100), 3)
    .option('--calls <number>', 'live calls at once', whole(1, 5000), 800)
    .option('--seconds <number>', 'duration of each measurement', whole(1, 3600), 10)
    .option('--chunk-ms <list>', 'interval between chunks of a call, in the whole', list(chunkMs), [BLOCK_MS])
    .option('--only <list>', `of ${STAGES.join(', ')}`, list(oneOf(STAGES)), [...STAGES])
    .option('--contenders <list>', `of ${contenders.join('; ')}`, list(oneOf(contenders), ';'), [])
    .option('--profile <directory>', 'write CPU profiles of the measured processes there')
    .option('--check', 'exit with 1 if a target is missed', false)
    .option('--json', 'print the figures as JSON', false)
    .allowExcessArguments(false)
    .configureOutput({ writeErr: complain })
    .exitOverride();
  try {
    return command.parse(args, { from: 'user' }).opts<Options>();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode !== 0) error.exitCode = EXIT_USAGE;
    throw error;
  }
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };
}

function list<Item>(item: (text: string) => Item, separator = ','): (text: string) => Item[] {
  return (text) => text.split(separator).map((each) => item(each.trim()));
}

function oneOf<Name extends string>(names: readonly Name[]): (text: string) => Name {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found) return found;
    throw new InvalidArgumentError(`Unknown name "${text}": use one of ${names.join(', ')}.`);
  };
}

function chunkMs(text: string): number {
  const number = whole(BLOCK_MS, LONGEST_CHUNK_MS)(text);
  if (number % BLOCK_MS === 0) return number;
  throw new InvalidArgumentError(`Give a multiple of ${BLOCK_MS} ms, the length of a block: 64, 128, 192, ….`);
}
