import type { Clock, Millis } from './clock.ts';

/** Grants one turn per interval, in the order of requests, to stay below a service's rate limit. */
export class RateLimiter {
  readonly #intervalMs: Millis;
  readonly #clock: Clock;
  #freeAtMs = 0;

  constructor(intervalMs: Millis, clock: Clock) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** Resolves when the caller has its turn; rejects with the signal's reason when that comes first, and the turn is lost. */
  async acquire(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now();
    const turnMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = turnMs + this.#intervalMs;
    if (turnMs > nowMs) await this.#clock.sleep(turnMs - nowMs, signal);
  }

  /** True when the next caller would not have to wait. */
  get isFree(): boolean {
    return this.#freeAtMs <= this.#clock.now();
  }
}
