import type { Speaker } from '../fixtures/sample-call/script.ts';
import type { Result } from './results.ts';

/** Words that are settled, or, as interim text, may still change. */
export interface Phrase {
  readonly speaker: Speaker;
  readonly startMs: number;
  readonly text: string;
}

/** What was heard of a call so far. */
export class Transcript {
  /** What is settled, in time order. */
  readonly phrases: Phrase[] = [];
  readonly #interim = new Map<Speaker, Phrase>();

  /** The guesses at what is being said now, at most one for each speaker. */
  get interim(): readonly Phrase[] {
    return [...this.#interim.values()];
  }

  /** Takes a result; one that was delivered before changes nothing. */
  take({ isFinal, ...phrase }: Result): void {
    if (!isFinal && phrase.text !== '') this.#interim.set(phrase.speaker, phrase);
    else this.#interim.delete(phrase.speaker);
    if (!isFinal || phrase.text === '' || this.#has(phrase)) return;
    const later = this.phrases.findLastIndex(({ startMs }) => startMs <= phrase.startMs) + 1;
    this.phrases.splice(later, 0, phrase);
  }

  #has({ speaker, startMs, text }: Phrase): boolean {
    return this.phrases.some((one) => one.speaker === speaker && one.startMs === startMs && one.text === text);
  }
}
