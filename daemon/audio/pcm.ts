import { BYTES_PER_SAMPLE, type Channel, CUSTOMER } from '../contract/audio-format.ts';

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

/** A channel's sample of a frame (AudioRun), as its 16 bits. */
export function sampleOf(frame: number, channel: Channel): number {
  return channel === CUSTOMER ? frame & 0xffff : frame >>> 16;
}

/** True if the samples are the same over and over, with a period of up to half their length: digital silence, a tone. */
export function repeatsItself(pcm: Uint8Array): boolean {
  const end = pcm.length - (pcm.length % BYTES_PER_SAMPLE);
  for (let period = BYTES_PER_SAMPLE; period <= end / 2; period += BYTES_PER_SAMPLE) {
    let at = 0;
    while (at < end - period && pcm[at] === pcm[at + period]) at++;
    if (at === end - period) return true;
  }
  return false;
}
