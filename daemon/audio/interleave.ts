import { SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';

/** The longest run of a call that is written at once: four of Connect's blocks, the most that a busy thread reads at once. */
export const LONGEST_RUN_MS: Millis = 256;
/** Frames that are interleaved in one go. */
export const MOST_FRAMES = LONGEST_RUN_MS * SAMPLES_PER_MS;

const HIGH_HALF = ~0xffff;

/** What one channel says in a run of the call; every other channel of the thread uses it next. */
interface Mono {
  readonly bytes: Uint8Array;
  /** The same by words: two samples each, the earlier one in the low half. */
  readonly words: Int32Array;
}

/** Room for MOST_FRAMES of one channel. */
export function createMono(): Mono {
  const words = new Int32Array(MOST_FRAMES / 2);
  return { bytes: new Uint8Array(words.buffer), words };
}

/** Writes frames of two channels, each a word with the customer in its low half: two samples of each are read at once. */
export function interleave(customer: Int32Array, agent: Int32Array, frames: Int32Array): void {
  const pairs = frames.length >> 1;
  for (let i = 0; i < pairs; i++) {
    const low = customer[i] as number;
    const high = agent[i] as number;
    frames[2 * i] = (low & 0xffff) | (high << 16);
    frames[2 * i + 1] = (low >>> 16) | (high & HIGH_HALF);
  }
  if (frames.length % 2 === 0) return;
  frames[2 * pairs] = ((customer[pairs] as number) & 0xffff) | ((agent[pairs] as number) << 16);
}
