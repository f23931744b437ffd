import type { HoleCause } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';

/** How far a call has come: its audio that was taken in reaches to `reachMs`, and is settled up to `positionMs`. */
export interface Reach {
  readonly reachMs: Millis;
  readonly positionMs: Millis;
}

/**
 * Names what a hole is put down to: the first thing that was reported of the stream since it was last whole. What else
 * is reported before the hole shows comes of that: a fragment whose tags were broken then names no contact.
 */
export class GapCauseTracker {
  #cause: HoleCause | undefined;
  /** Up to where audio had come when the report was in: a hole shows by the audio that comes after it. */
  #untilMs: Millis | undefined;

  /** Something was reported of the stream that may cost audio. */
  note(cause: HoleCause): void {
    this.#cause ??= cause;
    this.#untilMs = undefined;
  }

  /** What the hole that has just shown is put down to. */
  blame(): HoleCause {
    const cause = this.#cause ?? 'missing';
    this.#cause = undefined;
    return cause;
  }

  /** Nothing is missing: what was reported did no harm once more has come than there was then, and is whole. */
  unfounded({ reachMs, positionMs }: Reach): void {
    if (this.#cause === undefined) return;
    this.#untilMs ??= reachMs;
    if (positionMs > this.#untilMs) this.#cause = undefined;
  }
}
