import type { Millis } from '../runtime/clock.ts';

/** A run of the call's audio in its buffer; valid until the buffer reuses that place. */
export interface AudioRun {
  /** 2-channel 16-bit little-endian PCM: customer, agent, customer, … */
  readonly pcm: Uint8Array;
  /** When the oldest audio in it arrived here; undefined when there is none, only silence in its place. */
  readonly arrivedAtMs: Millis | undefined;
}
