import { SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import { EXACT_MS, JITTER_MS } from './track-clock.ts';

/** After a block shorter than usual, anything beyond rounding is an absence. */
const SHORT_BLOCK_BOUND_MS: Millis = 2;

/** The lengths of a track's blocks: a producer that writes 64 ms at a time continues so after an absence, too. */
export class BlockGrid {
  /** Samples of a usual block, which came twice in a row or first, and of the last one. */
  usualFrames = 0;
  lastFrames = 0;

  note(frames: number): void {
    if (frames === this.lastFrames || this.usualFrames === 0) this.usualFrames = frames;
    this.lastFrames = frames;
  }

  /** How late a block may be in an exact track that bears `boundMs`. */
  latestMs(boundMs: Millis): Millis {
    return this.lastFrames < this.usualFrames ? SHORT_BLOCK_BOUND_MS : boundMs;
  }

  /** True if exactly whole blocks are missing, or the rest of a short one, and jitter cannot explain it. */
  isMissingBlocks(deviationMs: Millis): boolean {
    if (deviationMs <= JITTER_MS + EXACT_MS && this.lastFrames >= this.usualFrames) return false;
    const usualMs = this.usualFrames / SAMPLES_PER_MS;
    const sinceMs = this.lastFrames / SAMPLES_PER_MS + deviationMs;
    return Math.abs(sinceMs - Math.round(sinceMs / usualMs) * usualMs) <= EXACT_MS;
  }
}
