import type { CallView, Victim } from './call.ts';
import type { CallBook, News } from './call-book.ts';

interface BreakerOptions {
  readonly book: CallBook;
  /** What to break, in this order, and how. */
  readonly victims: readonly { readonly victim: Victim; readonly crash: () => Promise<void> }[];
  readonly onFailure: (error: unknown) => void;
}

/** Breaks one thing after another, each in mid-sentence: while a call has words that are not final. */
export class Breaker {
  readonly #options: BreakerOptions;
  #left: BreakerOptions['victims'] = [];
  /** Finals to wait for before the next break, so that there is something to lose and something to repeat. */
  #finalsBefore = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    options.book.listen((call, news) => this.#take(call, news));
  }

  /** True until everything has been broken. */
  get isArmed(): boolean {
    return this.#left.length > 0;
  }

  /** Begins in the next sentence after `finalsBefore` finals; returns false if it is not done yet. */
  arm(finalsBefore = 0): boolean {
    if (this.isArmed) return false;
    this.#left = this.#options.victims;
    this.#finalsBefore = finalsBefore;
    return true;
  }

  #take(_call: CallView, news: News): void {
    if (!this.isArmed || news.kind !== 'result' || news.result.text === '') return;
    if (news.isFinal) this.#finalsBefore -= 1;
    else if (this.#finalsBefore <= 0) this.#breakNext();
  }

  #breakNext(): void {
    const [next, ...left] = this.#left;
    if (!next) return;
    this.#left = left;
    this.#finalsBefore = 2;
    next.crash().catch(this.#options.onFailure);
    this.#options.book.broke(next.victim);
  }
}
