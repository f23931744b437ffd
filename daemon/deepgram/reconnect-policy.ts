import { backoffMs } from '../runtime/backoff.ts';
import type { Clock, Millis } from '../runtime/clock.ts';

/** The first retry comes soon, because most breaks pass at once; later ones leave room to a Deepgram in trouble. */
const FIRST_RETRY_MS: Millis = 250;
const LONGEST_RETRY_MS: Millis = 5000;
/** A connection that lasted this long was a good one: the next break is a new trouble. */
const GOOD_CONNECTION_MS: Millis = 10_000;

/** How long to wait before the next try, and when to try no more. */
export class ReconnectPolicy {
  readonly #giveUpMs: Millis;
  readonly #clock: Clock;
  readonly #random: () => number;
  #sinceMs: Millis | undefined;
  #attempts = 0;

  /** @param random in [0, 1): the retries of many sessions must not come all at once */
  constructor(giveUpMs: Millis, clock: Clock, random: () => number) {
    this.#giveUpMs = giveUpMs;
    this.#clock = clock;
    this.#random = random;
  }

  /** A connection that was opened then has broken. */
  lost(openedAtMs: Millis): void {
    const nowMs = this.#clock.now();
    if (this.#sinceMs !== undefined && nowMs - openedAtMs < GOOD_CONNECTION_MS) return;
    this.#sinceMs = nowMs;
    this.#attempts = 0;
  }

  /** Whether the trouble has lasted so long that the session ends. */
  get isOver(): boolean {
    return this.#clock.now() - (this.#sinceMs ?? Infinity) > this.#giveUpMs;
  }

  /** The wait before the next attempt: it doubles from one to the next, and lies anywhere in the upper half of that. */
  nextDelayMs(): Millis {
    return backoffMs(this.#attempts++, { firstMs: FIRST_RETRY_MS, longestMs: LONGEST_RETRY_MS, random: this.#random });
  }
}
