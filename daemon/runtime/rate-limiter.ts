import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Millis } from './clock.ts';

/** Lets one through every so often, in the order of asking: what keeps us below a service's rate limit. */
export class RateLimiter {
  readonly #intervalMs: Millis;
  readonly #clock: Clock;
  #freeAtMs = 0;

  constructor(intervalMs: Millis, clock: Clock) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** Resolves when it is one's turn; throws when the signal comes first, and the turn is lost. */
  async acquire(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now();
    const turnMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = turnMs + this.#intervalMs;
    if (turnMs > nowMs) await sleep(turnMs - nowMs, undefined, { signal });
  }

  /** Whether anybody who came now would go straight through. */
  get isFree(): boolean {
    return this.#freeAtMs <= this.#clock.now();
  }
}
