import type { Word } from '../contract/events.ts';
import type { Millis } from '../runtime/clock.ts';

/** What a new connection repeats is recognized by the last words: this many, of this time. */
const MOST_WORDS = 10;
const MOST_MS: Millis = 3000;

/**
 * The last final words of a channel. Kept as JSON: from one final to the next, words as objects would grow old, and were
 * most of what V8's major collections had to free.
 */
export class LastWords {
  #json: string;

  constructor(words: readonly Word[]) {
    this.#json = JSON.stringify(words);
  }

  get words(): readonly Word[] {
    return JSON.parse(this.#json) as Word[];
  }

  /** Takes the words of the next final. */
  add(words: readonly Word[]): void {
    const [first, last] = [words[0], words.at(-1)];
    if (!first || !last) return;
    const fromMs = last.endMs - MOST_MS;
    const hasAll = words.length >= MOST_WORDS || first.endMs < fromMs;
    const latest = (hasAll ? words : [...this.words, ...words]).slice(-MOST_WORDS);
    this.#json = JSON.stringify(latest.filter(({ endMs }) => endMs >= fromMs));
  }
}
