import type { Millis } from '../runtime/clock.ts';

/** Largest share of MAX_SESSIONS kept free for starts that arrive before the load balancer has noticed. */
const LARGEST_SHARE = 0.1;

/**
 * Whether a nearly full instance should fail its health check: while as many starts as came in the last HEALTH_LAG_MS
 * would no longer fit, because that many may come before the load balancer notices.
 */
export class Headroom {
  readonly #maxSessions: number;
  readonly #lagMs: Millis;
  readonly #largest: number;
  /** Times of the latest starts; no more of them than the largest reserve. */
  readonly #startedAtMs: Millis[] = [];
  /** Room for that many starts was missing when the instance got short of it; undefined while it is not short. */
  #missing: number | undefined;

  constructor(maxSessions: number, healthLagMs: Millis) {
    this.#maxSessions = maxSessions;
    this.#lagMs = healthLagMs;
    this.#largest = Math.floor(maxSessions * LARGEST_SHARE);
  }

  get isShort(): boolean {
    return this.#missing !== undefined;
  }

  /** A start was accepted; there are `sessions` now. */
  started(sessions: number, nowMs: Millis): void {
    this.#startedAtMs.push(nowMs);
    if (this.#startedAtMs.length > this.#largest) this.#startedAtMs.shift();
    const expected = this.#startedAtMs.filter((atMs) => nowMs - atMs < this.#lagMs).length;
    if (sessions + expected >= this.#maxSessions) this.#missing = Math.max(this.#missing ?? 0, expected);
  }

  /** A session ended. Twice the missing room must be free, so that the health check does not change with every call. */
  ended(sessions: number): void {
    if (this.#missing === undefined) return;
    if (sessions < this.#maxSessions - 2 * this.#missing) this.#missing = undefined;
  }
}
