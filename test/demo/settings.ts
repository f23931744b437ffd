import { Command, InvalidArgumentError } from 'commander';

/** The demo's command line. */
export interface Options {
  readonly once: boolean;
  /** Break Deepgram's connection and kill integratord, each in mid-sentence. */
  readonly break: boolean;
  readonly port: number;
  readonly calls: number;
  readonly speed: number;
}

/** Which Deepgram transcribes, and how much of a phrase must arrive. */
export interface DeepgramChoice {
  readonly isReal: boolean;
  readonly name: string;
  /** Settings for integratord; empty for the simulator, which is not running yet. */
  readonly env: Record<string, string>;
  /** 0 to 1. */
  readonly share: number;
}

/** Free on most machines, unlike 8080. */
const DEFAULT_PORT = 8090;
/** More cards than anyone watches, and still light work for two cores. */
export const MAX_CALLS = 20;
/** Beyond this, the programs limit the speed of the call. */
const MAX_SPEED = 50;
const MAX_PORT = 65_535;

/** Reads the command line; exits with a message if it is invalid. */
export function readOptions(argv: readonly string[]): Options {
  return new Command('demo')
    .description('Plays a sample call through the whole integration and shows its transcript as it grows.')
    .option('--once', 'exit after the call, with 0 only if no word is missing or twice', false)
    .option('--break', "break Deepgram's connection and kill integratord, each in mid-sentence", false)
    .option('--port <number>', 'port of the page; 0 selects a free one', whole(0, MAX_PORT), DEFAULT_PORT)
    .option('--calls <number>', 'number of calls at the same time', whole(1, MAX_CALLS), 1)
    .option('--speed <factor>', 'playback speed relative to real time', whole(1, MAX_SPEED), 1)
    .parse(argv)
    .opts<Options>();
}

/** The real Deepgram (or the one at DEEPGRAM_API) if DEEPGRAM_API_KEY is set, else the simulator. */
export function chooseDeepgram(env: Readonly<Record<string, string | undefined>>): DeepgramChoice {
  const { DEEPGRAM_API_KEY: key, DEEPGRAM_API: api } = env;
  if (!key) return { isReal: false, name: 'Deepgram simulator', env: {}, share: 1 };
  return {
    isReal: true,
    name: 'Deepgram',
    env: { DEEPGRAM_API_KEY: key, ...(api ? { DEEPGRAM_API: api } : {}) },
    // Real recognition of a synthetic voice is never exact.
    share: 0.5,
  };
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };
}
