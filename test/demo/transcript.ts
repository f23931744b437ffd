import type { Speaker } from '../fixtures/sample-call/script.ts';
import type { Result } from './results.ts';

/** Final or interim words. */
export interface Phrase {
  readonly speaker: Speaker;
  readonly startMs: number;
  readonly text: string;
}

/** The words of a call so far. */
export class Transcript {
  /** Final phrases, in time order. */
  readonly phrases: Phrase[] = [];
  readonly #interim = new Map<Speaker, Phrase>();

  /** Interim phrases, at most one per speaker. */
  get interim(): readonly Phrase[] {
    return [...this.#interim.values()];
  }

  /** Adds a result; a repeated one changes nothing. */
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
