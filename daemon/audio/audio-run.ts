import type { Millis } from '../runtime/clock.ts';

/** A run of the call's audio in its buffer; valid until the buffer reuses that place. */
export interface AudioRun {
  /** 2-channel 16-bit little-endian PCM: customer, agent, customer, … */
  readonly pcm: Uint8Array;
  /** When the oldest audio in it arrived here; undefined when it is all silence, or is sent again. */
  readonly arrivedAtMs: Millis | undefined;
}
