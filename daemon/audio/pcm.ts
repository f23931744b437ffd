import type { Channel } from '../contract/audio-format.ts';

/** A SimpleBlock's audio of one track. */
export interface AudioBlock {
  readonly channel: Channel;
  /** When it begins, in ms on the producer's clock. */
  readonly timeMs: number;
  /** 16-bit little-endian mono samples; any length, an odd number of bytes too. */
  readonly pcm: Uint8Array;
  /** When it arrived here, in ms of our clock. */
  readonly arrivedAtMs: number;
}

/** The sample whose two bytes begin at `byte`, as its 16 bits. */
export function sampleAt(pcm: Uint8Array, byte: number): number {
  return (pcm[byte] as number) | ((pcm[byte + 1] as number) << 8);
}
