import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { BLOCK_MS } from '../load/sound.ts';

export const STAGES = ['demux', 'align', 'link', 'whole'] as const;
export type Stage = (typeof STAGES)[number];

export interface Options {
  readonly rounds: number;
  readonly calls: number;
  /** How long a measurement in real time lasts. */
  readonly seconds: number;
  readonly chunkMs: readonly number[];
  readonly only: readonly Stage[];
  /** Names of those to compare; empty is all. */
  readonly contenders: readonly string[];
  readonly json: boolean;
  readonly check: boolean;
  /** Where CPU profiles of the processes under measurement go. */
  readonly profile: string | undefined;
}

/** sysexits.h has no better one that shells agree on: bad usage. */
export const EXIT_USAGE = 2;
/** A chunk with more than this of a call is a chunk that nobody has seen. */
const LONGEST_CHUNK_MS = 25 * BLOCK_MS;

/** Reads the command line. Throws CommanderError, whose exit code is EXIT_USAGE when the line is wrong. */
export function readOptions(args: readonly string[], contenders: readonly string[]): Options {
  const command = new Command('bench')
    .description('Measures the CPU of integratord per second of call, beside what a Node user would write today.')
    .option('--rounds <number>', 'measurements of each, of which the median counts', whole(1, 100), 3)
    .option('--calls <number>', 'live calls at once', whole(1, 5000), 800)
    .option('--seconds <number>', 'how long each measurement lasts', whole(1, 3600), 10)
    .option('--chunk-ms <list>', 'how often a chunk of a call comes, in the whole', list(chunkMs), [BLOCK_MS])
    .option('--only <list>', `of ${STAGES.join(', ')}`, list(oneOf(STAGES)), [...STAGES])
    .option('--contenders <list>', `of ${contenders.join('; ')}`, list(oneOf(contenders), ';'), [])
    .option('--profile <directory>', 'writes CPU profiles of the processes under measurement there')
    .option('--check', 'exit code 1 when a target is not met', false)
    .option('--json', 'the figures as JSON', false)
    .allowExcessArguments(false)
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
    throw new InvalidArgumentError(`There is no "${text}": give some of ${names.join(', ')}.`);
  };
}

function chunkMs(text: string): number {
  const number = whole(BLOCK_MS, LONGEST_CHUNK_MS)(text);
  if (number % BLOCK_MS === 0) return number;
  throw new InvalidArgumentError(`It must be a multiple of ${BLOCK_MS} ms, a block: 64, 128, 192, ….`);
}
