import type { Millis } from '../runtime/clock.ts';

/** A session may begin behind its call: what is read at once then says nothing about the pace. */
const SETTLING_MS: Millis = 500;
/** Longer than a stream's bursts, much shorter than a call. */
const WINDOW_MS: Millis = 2000;
/** Less shows nothing. */
const LEAST_MS: Millis = 100;
/** A stream that stalls for longer says nothing about its pace; fragments of a call come once a second or so. */
const STALL_MS: Millis = 1500;

/**
 * How fast a call's audio comes, in call time per time. A call in real time comes at 1, whatever bursts a pause or a
 * resumption causes. Recorded calls and load tests come faster, and then Deepgram is assumed to process them as fast:
 * otherwise minutes of each would count as unprocessed.
 */
export class CallPace {
  #windowAtMs: Millis;
  #windowCallMs: Millis;
  #callMs: Millis;
  #reachedAtMs: Millis;
  /** Pace of the slowest window so far: one in real time shows that the call is not a recording. */
  #least = Infinity;

  constructor(callMs: Millis, nowMs: Millis) {
    this.#windowAtMs = nowMs + SETTLING_MS;
    this.#windowCallMs = callMs;
    this.#callMs = callMs;
    this.#reachedAtMs = nowMs;
  }

  /** The call is here up to `callMs`. */
  reached(callMs: Millis, nowMs: Millis): void {
    const hasStalled = nowMs - this.#reachedAtMs > STALL_MS;
    this.#callMs = callMs;
    this.#reachedAtMs = nowMs;
    if (nowMs < this.#windowAtMs) this.#windowCallMs = callMs;
    else if (hasStalled || nowMs - this.#windowAtMs >= WINDOW_MS) this.#next(hasStalled);
  }

  /** The call is read again from an earlier moment, which says nothing about its pace. */
  restart(callMs: Millis, nowMs: Millis): void {
    this.#windowAtMs = nowMs + SETTLING_MS;
    this.#windowCallMs = callMs;
    this.#callMs = callMs;
    this.#reachedAtMs = nowMs;
  }

  /** At least 1. */
  get current(): number {
    const soFar = this.#least === Infinity ? this.#inWindow : this.#least;
    return Math.max(1, soFar);
  }

  get #inWindow(): number {
    const ms = this.#reachedAtMs - this.#windowAtMs;
    return ms < LEAST_MS ? 1 : (this.#callMs - this.#windowCallMs) / ms;
  }

  #next(hasStalled: boolean): void {
    if (!hasStalled) this.#least = Math.min(this.#least, this.#inWindow);
    this.#windowAtMs = this.#reachedAtMs;
    this.#windowCallMs = this.#callMs;
  }
}
