import type { Trouble } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';

/** How far a call has been read (`reachMs`) and aligned (`positionMs`). */
export interface Reach {
  readonly reachMs: Millis;
  readonly positionMs: Millis;
}

/**
 * Attributes a gap to its cause: the first trouble reported since the stream was last intact. Later reports follow from
 * the first one: a fragment with corrupt tags also lacks a contact id.
 */
export class GapCauseTracker {
  #cause: Trouble | undefined;
  /** How far the call had been read when the trouble was reported; a gap shows only in later audio. */
  #untilMs: Millis | undefined;

  /** Reports trouble that may cost audio. */
  note(cause: Trouble): void {
    this.#cause ??= cause;
    this.#untilMs = undefined;
  }

  /** The cause of a gap that has just been found. */
  blame(): Trouble {
    const cause = this.#cause ?? 'missing';
    this.#cause = undefined;
    return cause;
  }

  /** Nothing is missing so far: clears the cause once audio read after the report is aligned. */
  unfounded({ reachMs, positionMs }: Reach): void {
    if (this.#cause === undefined) return;
    this.#untilMs ??= reachMs;
    if (positionMs > this.#untilMs) this.#cause = undefined;
  }
}
