import { AGENT_TRACK, CUSTOMER_TRACK, fragment } from '../kinesis/stream.ts';
import { FIRST_NUMBER } from './calls.ts';
import { payload } from './payload.ts';

/** Greater than any fragment number of a generated call. */
const LATER = FIRST_NUMBER + 1_000_000n;
const silence = { track: CUSTOMER_TRACK, offsetMs: 0, pcm: new Uint8Array(200_000) };
/** Not used by generated calls. */
const SERIAL = 60_000;

/**
 * Valid fragments of silence, 600 KB. A corrupt size swallows at most 256 KiB, or what comes before the next EBML header
 * (demuxer.ts). What follows is silence, which is not an element: the demuxer resynchronizes at that header.
 */
export const PADDING: readonly Buffer[] = [1n, 2n, 3n].map((nth) =>
  fragment({ number: String(LATER + nth), blocks: [silence] }),
);

/** The blocks of the valid fragment, in order. */
export const SOUND_BLOCKS = [
  { track: CUSTOMER_TRACK, offsetMs: 0, pcm: payload('ours', SERIAL, 1024) },
  { track: AGENT_TRACK, offsetMs: 0, pcm: payload('ours', SERIAL + 1, 1024) },
  { track: CUSTOMER_TRACK, offsetMs: 64, pcm: payload('ours', SERIAL + 2, 700) },
] as const;

/** A fragment of ours that must come out completely after the padding, whatever came before. */
export const SOUND = fragment({ number: String(LATER + 4n), blocks: SOUND_BLOCKS });
