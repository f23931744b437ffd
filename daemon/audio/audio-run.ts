import type { Millis } from '../runtime/clock.ts';

/** A run of the call's audio in its buffer; valid until the buffer reuses that place. */
export interface AudioRun {
  /** 2-channel 16-bit PCM, a word per frame: the customer's sample in the low half, the agent's in the high one. */
  readonly frames: Int32Array;
  /** When the oldest audio in it arrived here; undefined when there is none, only silence in its place. */
  readonly arrivedAtMs: Millis | undefined;
}
