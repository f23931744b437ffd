import { styleText } from 'node:util';
import type { Speaker } from '../fixtures/sample-call/script.ts';
import type { CallView } from './call.ts';
import type { News } from './call-book.ts';
import type { Spoken } from './check.ts';
import type { Phrase } from './transcript.ts';

/** The stream that the transcript is written to. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Distinguishable on dark and light backgrounds, and with color blindness. */
const COLORS = { customer: 'cyan', agent: 'magenta' } as const satisfies Record<Speaker, string>;
/** Width of a terminal that does not report it. */
const DEFAULT_COLUMNS = 80;
/** Moves to the start of the line and clears it. */
const CLEAR_LINE = '\r\x1b[2K';

/** Writes calls as text: final phrases line by line and, on a terminal, the interim phrase below them. */
export class Terminal {
  readonly #output: Output;
  readonly #hasColor: boolean;
  #hasInterim = false;

  constructor(output: Output, env: Readonly<Record<string, string | undefined>>) {
    this.#output = output;
    this.#hasColor = output.isTTY === true && !env['NO_COLOR'];
  }

  say(text: string): void {
    this.settle();
    this.#output.write(`${text}\n`);
  }

  /** Clears the interim line before other output. */
  settle(): void {
    if (this.#hasInterim) this.#output.write(CLEAR_LINE);
    this.#hasInterim = false;
  }

  /** Shows a change of a call with `expected` phrases. */
  show(call: CallView, news: News, expected: number): void {
    if (news.kind === 'started') this.say(`Call ${call.number}: the session runs (contact ${call.contactId})`);
    if (news.kind === 'result' && news.result.isFinal && news.result.text !== '') {
      this.say(this.#line(call.number, news.result));
    } else if (news.kind === 'result') this.#showInterim(call);
    if (news.kind === 'checked') this.say(summary(call, expected));
  }

  #line(call: number, phrase: Phrase): string {
    const words = `${phrase.speaker.padEnd(8)}  ${printable(phrase.text)}`;
    return `${place(call, phrase)}${this.#styled(COLORS[phrase.speaker], words)}`;
  }

  #showInterim({ number, interim }: CallView): void {
    const phrase = interim.at(-1);
    if (!this.#output.isTTY) return;
    this.settle();
    if (!phrase) return;
    // A line that wraps could not be cleared.
    const room = (this.#output.columns || DEFAULT_COLUMNS) - 1;
    const text = `${place(number, phrase)}${phrase.speaker.padEnd(8)}  ${printable(phrase.text)} …`;
    this.#output.write(this.#styled('dim', text.slice(0, room)));
    this.#hasInterim = true;
  }

  #styled(style: 'cyan' | 'magenta' | 'dim', text: string): string {
    return this.#hasColor ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** Summary of a call: its figures, and what is missing. */
export function summary(call: CallView, expected: number): string {
  const missing = call.missing ?? [];
  const { number, state, problem, wasRefused, audioMs, worstLagMs, gapMs } = call;
  if (wasRefused) return `Call ${number} was refused: ${problem}`;
  const figures = `${clock(audioMs)} of audio, worst lag ${Math.ceil(worstLagMs)} ms, gaps ${Math.round(gapMs)} ms`;
  return [
    `Call ${number} ${state}: ${figures}.${problem ? ` ${problem}` : ''}`,
    missing.length === 0
      ? `  All ${expected} phrases arrived, each for its speaker.`
      : `  ${missing.length} of ${expected} phrases are missing:`,
    ...missing.map(({ speaker, text }: Spoken) => `    ${speaker}: ${text}`),
  ].join('\n');
}

/** The call's number and a time in it. */
function place(call: number, { startMs }: Phrase): string {
  return `#${call}  ${clock(startMs).padStart(5)}  `;
}

/** A time in the call, as m:ss. */
function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Removes control characters: the text comes from outside. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '');
}
