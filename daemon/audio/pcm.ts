/** Connect's audio: 16-bit little-endian PCM at 8 kHz, one mono track per direction (kinesis-video.md). */
export const SAMPLE_RATE_HZ = 8000;
export const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;
export const BYTES_PER_SAMPLE = 2;
export const CHANNELS = 2;
/** One instant of the call as Deepgram gets it: a sample of each channel. */
export const BYTES_PER_FRAME = BYTES_PER_SAMPLE * CHANNELS;
/** Bytes of 2-channel PCM in one ms of call. */
export const BYTES_PER_MS = BYTES_PER_FRAME * SAMPLES_PER_MS;

/** original.md: the customer is channel 0, the agent's side channel 1. */
export const CUSTOMER = 0;
export const AGENT = 1;
export type Channel = typeof CUSTOMER | typeof AGENT;

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
