import { Command, InvalidArgumentError } from 'commander';

/** What the demo was asked to do. */
export interface Options {
  readonly once: boolean;
  readonly port: number;
  readonly calls: number;
  readonly speed: number;
}

/** Who transcribes, and how much of a phrase has to arrive for it to count. */
export interface DeepgramChoice {
  readonly isReal: boolean;
  readonly name: string;
  /** What integratord has to be told of it; nothing for the stand-in, which is not there yet. */
  readonly env: Record<string, string>;
  /** 0 to 1. */
  readonly share: number;
}

/** Free on most machines, and not 8080, which everybody takes. */
const DEFAULT_PORT = 8090;
/** More cards than anybody watches, and still light work for two cores. */
export const MAX_CALLS = 20;
/** Past this the programs, and not the speed, decide how fast the call is. */
const MAX_SPEED = 50;
const MAX_PORT = 65_535;

/** Reads the command line; ends the process with a message when it is wrong. */
export function readOptions(argv: readonly string[]): Options {
  return new Command('demo')
    .description('Plays a sample call through the whole integration and shows its transcript as it grows.')
    .option('--once', 'end after the call; exit code 0 only if every phrase arrived at its speaker', false)
    .option('--port <number>', 'where the page is served; 0 takes a free port', whole(0, MAX_PORT), DEFAULT_PORT)
    .option('--calls <number>', 'so many calls at once', whole(1, MAX_CALLS), 1)
    .option('--speed <factor>', 'how much faster than real time the call is played', whole(1, MAX_SPEED), 1)
    .parse(argv)
    .opts<Options>();
}

/** With DEEPGRAM_API_KEY the real Deepgram, or whatever DEEPGRAM_API names; without it the stand-in. */
export function chooseDeepgram(env: Readonly<Record<string, string | undefined>>): DeepgramChoice {
  const { DEEPGRAM_API_KEY: key, DEEPGRAM_API: api } = env;
  if (!key) return { isReal: false, name: 'Deepgram stand-in', env: {}, share: 1 };
  return {
    isReal: true,
    name: 'Deepgram',
    env: { DEEPGRAM_API_KEY: key, ...(api ? { DEEPGRAM_API: api } : {}) },
    // Real recognition of a synthetic voice is never letter for letter.
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
