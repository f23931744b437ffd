import type { Channel } from '../contract/audio-format.ts';

/** Where the call's audio is written, and can be looked at for some seconds after that. */
export interface Tape {
  /** Room for the next frames of the call, with whatever is in it: as many as asked for, or fewer, but some. */
  room(frames: number): Int32Array;
  /** A channel's sample at a frame of the call, as its 16 bits; undefined when it is gone, or is not there yet. */
  sampleAt(frame: number, channel: Channel): number | undefined;
}
