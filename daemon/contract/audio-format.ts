/** Connect's audio: 16-bit little-endian PCM at 8 kHz, one mono track per direction (daemon/kinesis/README.md). */
export const SAMPLE_RATE_HZ = 8000;
export const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;
export const BYTES_PER_SAMPLE = 2;
export const CHANNELS = 2;
/** One sample of each channel, as Deepgram receives them. */
export const BYTES_PER_FRAME = BYTES_PER_SAMPLE * CHANNELS;
/** Bytes of 2-channel PCM per ms of call. */
export const BYTES_PER_MS = BYTES_PER_FRAME * SAMPLES_PER_MS;

/** trigger/README.md: the customer is channel 0, the agent's side channel 1. */
export const CUSTOMER = 0;
export const AGENT = 1;
export type Channel = typeof CUSTOMER | typeof AGENT;
