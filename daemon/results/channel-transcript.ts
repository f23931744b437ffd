import type { Word } from '../contract/events.ts';
import type { Millis } from '../runtime/clock.ts';
import { align, middle, type Overlap, overlapOf, SHIFT_MS } from './alignment.ts';
import type { Result } from './deepgram-result.ts';
import { LastWords } from './last-words.ts';

/** What of a result is new, placed after all that was final before. */
interface NewWords {
  readonly startMs: Millis;
  readonly endMs: Millis;
  readonly text: string;
  readonly words: Word[];
  /** Words left out because they were delivered before. */
  readonly dropped: number;
}

/** By what a final is known. */
type Identity = Pick<Result, 'startMs' | 'endMs' | 'text'>;
/** A final that is sent again is one of the last few. */
const MOST_RECENT = 8;

/** What has been said on one channel: tells new words from repeated ones over any number of connections. */
export class ChannelTranscript {
  #finalMs: Millis;
  readonly #lastWords: LastWords;
  /** Undefined once the connection's words are known to be new. */
  #overlap: Overlap | undefined;
  /** Words were delivered since the last end of an utterance. */
  #isInUtterance = false;
  /**
   * What tells the connection's last finals with words. Their words are not kept: most of them would be garbage in V8's
   * old space.
   */
  #recent: Identity[] = [];

  /**
   * @param finalMs up to here the channel is final
   * @param lastWords the last final words before that
   */
  constructor(finalMs: Millis, lastWords: readonly Word[]) {
    this.#finalMs = finalMs;
    this.#lastWords = new LastWords(lastWords);
  }

  get finalMs(): Millis {
    return this.#finalMs;
  }

  get lastWords(): readonly Word[] {
    return this.#lastWords.words;
  }

  /** A connection has begun that repeats the call from this moment on: what is not final, and some of what is. */
  reconnected(fromMs: Millis): void {
    this.#recent = [];
    this.#overlap = overlapOf(this.lastWords, this.#finalMs, fromMs);
  }

  /** Takes a final result. Undefined if it has nothing new and ends no utterance. */
  final(result: Result): NewWords | undefined {
    // The same audio is not transcribed twice on one connection.
    if (this.#recent.some((recent) => isSame(result, recent))) return undefined;
    const { words: received, speechFinal } = result;
    if (received.length > 0) this.#note({ startMs: result.startMs, endMs: result.endMs, text: result.text });
    const { repeated, rest } = this.#align(result);
    const fresh = rest ? [rest, ...received.slice(repeated + 1)] : received.slice(repeated);
    const words = this.#placed(fresh, result.endMs);
    const startMs = words[0]?.startMs ?? Math.max(result.startMs, this.#finalMs);
    this.#finalMs = Math.max(this.#finalMs, result.endMs, words.at(-1)?.endMs ?? 0);
    this.#lastWords.add(words);
    const endsUtterance = speechFinal && this.#isInUtterance;
    this.#isInUtterance = !speechFinal && (this.#isInUtterance || words.length > 0);
    if (words.length === 0 && !endsUtterance) return undefined;
    const endMs = words.at(-1)?.endMs ?? Math.max(startMs, result.endMs);
    const text = repeated === 0 && !rest ? result.text : textFrom(fresh, received, result.text);
    return { startMs, endMs, text, words, dropped: repeated };
  }

  /** Takes an interim result. Undefined if it has nothing after what is final. */
  interim({ words: received, text, endMs }: Result): Omit<NewWords, 'dropped'> | undefined {
    if (endMs <= this.#finalMs) return undefined;
    // Until the words are aligned, a repeated one may seem to be a new one.
    const fromMs = this.#finalMs + (this.#overlap ? SHIFT_MS / 2 : 0);
    const repeated = received.filter((word) => middle(word) < fromMs);
    const words = this.#placed(received.slice(repeated.length), endMs);
    const [first, last] = [words[0], words.at(-1)];
    if (!first || !last) return undefined;
    const fresh = repeated.length === 0 ? text : textFrom(words, received, text);
    return { startMs: first.startMs, endMs: last.endMs, text: fresh, words };
  }

  #note(final: Identity): void {
    if (this.#recent.length === MOST_RECENT) this.#recent.shift();
    this.#recent.push(final);
  }

  #align({ words: received, endMs }: Result): { readonly repeated: number; readonly rest: Word | undefined } {
    const overlap = this.#overlap;
    if (!overlap) return { repeated: 0, rest: undefined };
    const alignment = align(received, overlap);
    const { delivered, shiftMs } = alignment.overlap;
    const isPast = endMs > overlap.finalMs + SHIFT_MS || alignment.repeated < received.length;
    const isAligned = delivered.length === 0 && shiftMs !== undefined;
    this.#overlap = isPast || isAligned ? undefined : alignment.overlap;
    return alignment;
  }

  /** No word begins before what is final, or ends after its result, because Deepgram's times are shifted a little. */
  #placed(words: readonly Word[], resultEndMs: Millis): Word[] {
    let fromMs = this.#finalMs;
    return words.map((word) => {
      const startMs = Math.max(word.startMs, fromMs);
      const latestMs = middle(word) > resultEndMs ? word.endMs : resultEndMs;
      const endMs = Math.max(startMs, Math.min(word.endMs, latestMs));
      fromMs = startMs;
      return startMs === word.startMs && endMs === word.endMs ? word : { ...word, startMs, endMs };
    });
  }
}

function isSame(one: Identity, other: Identity): boolean {
  return one.startMs === other.startMs && one.endMs === other.endMs && one.text === other.text;
}

/** The text of the last of the received words: Deepgram's own, where they can be found in it. */
function textFrom(words: readonly Word[], received: readonly Word[], text: string): string {
  const first = words[0];
  if (!first) return '';
  let at = 0;
  for (const word of received.slice(0, received.length - words.length + 1)) {
    const found = text.indexOf(word.text, at);
    if (found < 0) return words.map((each) => each.text).join(' ');
    at = found + word.text.length;
  }
  return first.text + text.slice(at);
}
