import { styleText } from 'node:util';
import type { Speaker } from '../fixtures/sample-call/script.ts';
import { type CallView, type Faults, isFaultless, type Victim } from './call.ts';
import type { News } from './call-book.ts';
import type { Spoken } from './check.ts';
import type { Phrase } from './transcript.ts';

/** The stream that the transcript is written to. */
interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Distinguishable on dark and light backgrounds, and with color blindness. */
const COLORS = { customer: 'cyan', agent: 'magenta' } as const satisfies Record<Speaker, string>;
/** What happened to something that was broken on purpose. */
const BROKEN: Readonly<Record<Victim, string>> = {
  deepgram: "--- Deepgram's connection is broken in mid-sentence ---",
  integratord: '--- integratord is killed (kill -9) in mid-sentence, and restarts ---',
};
/** Width of a terminal that does not report it. */
const DEFAULT_COLUMNS = 80;
/** Moves to the start of the line and clears it. */
const CLEAR_LINE = '\r\x1b[2K';

/** Writes calls as text: final phrases line by line and, on a terminal, the interim phrase below them. */
export class Terminal {
  readonly #output: Output;
  readonly #hasColor: boolean;
  readonly #isRealTime: boolean;
  #hasInterim = false;

  /** @param isRealTime whether calls are played at the speed at which they were spoken */
  constructor(output: Output, env: Readonly<Record<string, string | undefined>>, isRealTime = true) {
    this.#isRealTime = isRealTime;
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
    if (news.kind === 'resumed') this.say(`Call ${call.number}: the session resumes`);
    if (news.kind === 'result' && news.isFinal && news.result.text !== '') {
      this.say(this.#line(call.number, news.result));
    } else if (news.kind === 'result') this.#showInterim(call);
    if (news.kind === 'broke') this.say(`${place(call.number, news)}${BROKEN[news.victim]}`);
    if (news.kind === 'checked') this.say(summary(call, expected, this.#isRealTime));
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
export function summary(call: CallView, expected: number, isRealTime: boolean): string {
  const { number, state, problem, wasRefused, audioMs, worstLagMs, gapMs } = call;
  if (wasRefused) return `Call ${number} was refused: ${problem}`;
  // Lag counts from when audio is spoken: a call that is played faster has none that means anything.
  const lag = isRealTime ? `worst lag ${Math.ceil(worstLagMs)} ms, ` : '';
  const figures = `${clock(audioMs)} of audio, ${lag}gaps ${Math.round(gapMs)} ms`;
  return [`Call ${number} ${state}: ${figures}.${problem ? ` ${problem}` : ''}`, ...verdict(call, expected)].join('\n');
}

function verdict({ state, faults, breaks }: CallView, expected: number): string[] {
  if (!faults) return [];
  const although = breaks.length === 0 ? '' : ', although it was broken in mid-sentence';
  if (isFaultless({ state, faults })) {
    return [
      `  All ${expected} phrases arrived, each for its speaker${although}.`,
      '  Not a word is missing, and none came twice.',
    ];
  }
  return faultLines(faults, expected);
}

function faultLines({ missing, repeated, lostEvents }: Faults, expected: number): string[] {
  const lines = ({ speaker, text }: Spoken) => `    ${speaker}: ${printable(text)}`;
  return [
    ...(missing.length > 0 ? [`  ${missing.length} of ${expected} phrases are missing:`, ...missing.map(lines)] : []),
    ...(repeated.length > 0 ? ['  These words came twice, or were not said:', ...repeated.map(lines)] : []),
    ...(lostEvents > 0 ? [`  Events of the call that never came: ${lostEvents}.`] : []),
  ];
}

/** The call's number and a time in it. */
function place(call: number, { startMs }: Pick<Phrase, 'startMs'>): string {
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
