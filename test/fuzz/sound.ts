import { AGENT_TRACK, CUSTOMER_TRACK, fragment } from '../kinesis/stream.ts';
import { FIRST_NUMBER } from './calls.ts';
import { payload } from './payload.ts';

/** After any number that a call of ours uses. */
const LATER = FIRST_NUMBER + 1_000_000n;
const silence = { track: CUSTOMER_TRACK, offsetMs: 0, pcm: new Uint8Array(200_000) };
/** No serial number of a call of ours. */
const SERIAL = 60_000;

/**
 * Sound fragments of silence, 600 KB. A broken size swallows at most 256 KiB (demuxer.ts), and what follows the
 * swallowed part is silence, which is no element: at the next EBML header all is well again.
 */
export const PADDING: readonly Buffer[] = [1n, 2n, 3n].map((nth) =>
  fragment({ number: String(LATER + nth), blocks: [silence] }),
);

/** The audio of the sound fragment, in order. */
export const SOUND_BLOCKS = [
  { track: CUSTOMER_TRACK, offsetMs: 0, pcm: payload('ours', SERIAL, 1024) },
  { track: AGENT_TRACK, offsetMs: 0, pcm: payload('ours', SERIAL + 1, 1024) },
  { track: CUSTOMER_TRACK, offsetMs: 64, pcm: payload('ours', SERIAL + 2, 700) },
] as const;

/** A fragment of ours that must come out whole after the padding, whatever came before that. */
export const SOUND = fragment({ number: String(LATER + 4n), blocks: SOUND_BLOCKS });
