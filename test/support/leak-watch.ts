import { readFileSync } from 'node:fs';
import type { SampleCallFile } from '../fixtures/sample-call/read.ts';

/** Tests mark what must not be logged with one of these words, or use such a phone number. */
const MARK = /planted[\w.-]*|[\w.-]*-of-the-stage/i;
const PHONE_NUMBER = /(?:\+|%2B)1[ -]?555[ -]?0100[ -]?\d{3}/i;
/** A signature of a start request. */
const SIGNATURE = /v1=[0-9a-f]{64}/;

/** Variables with secret values; shorter values could be part of a word. */
const SECRET_VARIABLES = [
  'DEEPGRAM_API_KEY',
  'TRIGGER_SECRET',
  'STATE_KEY',
  'RESULTS_SECRET',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];
const SHORTEST_SECRET = 8;

/** This many words of the sample call in a row are no coincidence. */
const WORDS_IN_A_ROW = 3;
/** At this level and below, transcripts are logged as in the original. */
const DEBUG_LINE = /^\{"level":"(?:debug|trace)"/;

/** Every run of this many words in the sample call. */
let spoken: ReadonlySet<string> | undefined;

function spokenRuns(): ReadonlySet<string> {
  const file = readFileSync(new URL('../fixtures/sample-call/sample-call.json', import.meta.url), 'utf8');
  const { phrases } = JSON.parse(file) as SampleCallFile;
  return new Set(phrases.flatMap(({ text }) => runsOf(text)));
}

function runsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z0-9']+/g) ?? [];
  return words
    .map((_, at) => words.slice(at, at + WORDS_IN_A_ROW))
    .flatMap((run) => (run.length === WORDS_IN_A_ROW ? [run.join(' ')] : []));
}

/** Words of the sample call, which the simulator of Deepgram recognizes, in lines at info or above. */
function spokenIn(text: string): string | undefined {
  spoken ??= spokenRuns();
  const lines = text.split('\n').filter((line) => !DEBUG_LINE.test(line));
  return lines.flatMap(runsOf).find((run) => spoken?.has(run));
}

/** Checks a process's output for the secrets in its environment, for what tests plant in its requests, and for words of the call. */
export class LeakWatch {
  readonly leaks: string[] = [];
  readonly #secrets: readonly string[];

  constructor(env: Readonly<Record<string, string>>) {
    this.#secrets = SECRET_VARIABLES.map((name) => env[name] ?? '').filter(({ length }) => length >= SHORTEST_SECRET);
  }

  /** Checks one or more complete lines. */
  read(text: string): void {
    const found =
      (MARK.exec(text) ?? PHONE_NUMBER.exec(text) ?? SIGNATURE.exec(text))?.[0] ??
      this.#secrets.find((secret) => text.includes(secret)) ??
      spokenIn(text);
    if (found !== undefined) this.leaks.push(`${found} in: ${text}`);
  }
}
