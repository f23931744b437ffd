import type { Millis } from '../runtime/clock.ts';
import { KinesisRefused } from './refusal.ts';

/**
 * daemon/kinesis/README.md: without retention the last five minutes stay readable; after that nothing can be resumed.
 */
const GIVE_UP_MS: Millis = 5 * 60_000;
/** IAM is eventually consistent, and a role may be edited in two steps: a denial that lasts longer is intended. */
const DENIED_FOR_GOOD_MS: Millis = 60_000;

/**
 * A period in which Kinesis refuses a running call, by HTTP answers or by errors inside the stream, across all attempts
 * of the period. A refusal is not silence: the time does not count toward the end of the call.
 */
export class Outage {
  #refusals = 0;
  #sinceMs: Millis | undefined;
  #deniedSinceMs: Millis | undefined;

  /** Refusals in a row. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Notes a refusal. Returns whether it ends the call. */
  note(error: unknown, nowMs: Millis): boolean {
    this.#refusals++;
    this.#sinceMs ??= nowMs;
    // Anything else is an error of our own.
    if (!(error instanceof KinesisRefused) || error.midCall === 'final') return true;
    this.#deniedSinceMs = error.midCall === 'denied' ? (this.#deniedSinceMs ?? nowMs) : undefined;
    if (this.#deniedSinceMs !== undefined && nowMs - this.#deniedSinceMs > DENIED_FOR_GOOD_MS) return true;
    return nowMs - this.#sinceMs > GIVE_UP_MS;
  }

  /** How long it has lasted; 0 without one. */
  lengthMs(nowMs: Millis): Millis {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs;
  }

  /** The stream answers again. */
  end(): void {
    this.#refusals = 0;
    this.#sinceMs = undefined;
    this.#deniedSinceMs = undefined;
  }
}
