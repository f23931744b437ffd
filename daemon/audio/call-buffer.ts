import type { Channel } from '../contract/audio-format.ts';

/** Where the call's audio is written; the last seconds of it can be read back. */
export interface CallBuffer {
  /** Room for the next frames of the call, uninitialized: as many as asked for, or fewer, but at least one. */
  reserve(frames: number): Int32Array;
  /** A channel's sample at a frame of the call, as its 16 bits; undefined when it is gone or not there yet. */
  sampleAt(frame: number, channel: Channel): number | undefined;
}
