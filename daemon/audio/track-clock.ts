import { SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import type { SavedTrackClock } from './call-clock.ts';

/** A block time this close to the expected one is exact; the rest is rounding to whole ms. */
export const EXACT_MS: Millis = 1.5;
/** Inexact block times are within this of a steady clock, either way. */
export const JITTER_MS: Millis = 60;
/** So two of them differ by at most this much. */
export const WIDEST_JITTER_MS: Millis = 2 * JITTER_MS;
/** Half of Connect's 64 ms block: with exact times a larger deviation that lasts is an absence. */
const EXACT_BOUND_MS: Millis = 32;
/** Margin above the largest deviation seen; deviations within it mean nothing. */
const BOUND_FACTOR = 1.2;
const BOUND_MARGIN_MS: Millis = 8;
/** The largest deviation of n equally likely ones is below exp(-16/n) of what is possible once in 10 million. */
const UNSEEN = 24;
/** Nothing is known of the jitter in its first second. */
const LEARNED_BLOCKS = 16;
/** After an inexact time a track counts as inexact for another minute. */
const RELEARN_BLOCKS = 1000;
/** Blocks that the level is an average of: ±60 ms become ±5 ms, and a drift of 300 ppm shows 1 ms late. */
const LEVEL_BLOCKS = 64;
const EXACT_LEVEL_BLOCKS = 16;
/** From here on the level moves because the clock drifts, not because it becomes better known. */
const SETTLED_BLOCKS = 128;
/** The largest deviation seen counts half after 90 s. */
const JITTER_DECAY = 1 - 1 / 2048;
const MOST_JITTER_MS: Millis = 90;
/** This many blocks in a row that are far off mean that the clock was set; smaller deviations need more blocks. */
const SET_BLOCKS = 4;
const SLIGHTLY_SET_BLOCKS = 12;
/** In less audio than this the error of the level would show as drift. */
const DRIFT_FRAMES = 60_000 * SAMPLES_PER_MS;
const FRAMES_PER_HOUR = 3_600_000 * SAMPLES_PER_MS;
/** Saved values are rounded, and used as rounded, so that another process decides alike. */
const STEPS_PER_MS = 1024;

/** How far a track's block times can be trusted, and where they say that its audio belongs (README.md). */
export class TrackClock {
  /** Block time less place, averaged over the audio placed last. */
  levelMs = 0;
  /** The same for audio in its right place: the two differ by how far the current run is misplaced. */
  centerMs = 0;
  /** The largest deviation seen lately. */
  jitterMs = 0;
  /** Blocks so far, and how many in a row were exact; negative after an inexact one. */
  blocks = 0;
  exactBlocks = 0;
  /** Blocks since times were inexact for the first time: how much they have shown of the jitter. */
  jitterBlocks = 0;
  /** Blocks that the level comes from, and blocks since the last gap. */
  levelBlocks = 0;
  runBlocks = 0;
  /** False until the first gap. */
  hadGap = false;
  /** How much the clock gains on the samples; undefined while that is not known. */
  #driftMsPerHour: number | undefined;
  #setBlocks = 0;
  #setByMs = 0;
  /** Where the track and its center were when the level had settled. */
  #settledFrame = 0;
  #settledMs = 0;

  /** How much later than expected a block is if its audio begins at `frame`. */
  deviationMs(timeMs: Millis, frame: number): Millis {
    return timeMs - frame / SAMPLES_PER_MS - this.levelMs;
  }

  /** True while no time seen lately was inexact; a track that has just begun is judged by the other one, too. */
  looksExact(other: TrackClock): boolean {
    return this.exactBlocks >= 0 && (this.blocks >= LEARNED_BLOCKS || other.exactBlocks >= 0);
  }

  /** A deviation up to this may be inexactness. */
  boundMs(other: TrackClock): Millis {
    return this.looksExact(other) ? EXACT_BOUND_MS : this.inexactBoundMs();
  }

  inexactBoundMs(): Millis {
    if (this.jitterBlocks < LEARNED_BLOCKS) return WIDEST_JITTER_MS;
    // The level is off by the jitter's share of the blocks that it comes from.
    const factor = BOUND_FACTOR + UNSEEN / this.jitterBlocks + 1 / Math.sqrt(this.levelBlocks);
    return Math.min(WIDEST_JITTER_MS, Math.max(EXACT_BOUND_MS, this.jitterMs * factor + BOUND_MARGIN_MS));
  }

  /** The center, taking for granted that the clock was set if the last blocks look like it. */
  get likelyCenterMs(): Millis {
    return this.#setBlocks > 0 ? this.centerMs + this.#setByMs : this.centerMs;
  }

  /** Notes a block that continues the run, which now ends at `endFrame`. Returns by how much the level became better known. */
  note(deviationMs: Millis, endFrame: number): Millis {
    if (this.#setBlocks > 0) this.#noteUnset();
    this.#judge(Math.abs(deviationMs));
    const isExact = this.exactBlocks >= EXACT_LEVEL_BLOCKS;
    const step = deviationMs / Math.min(++this.levelBlocks, isExact ? EXACT_LEVEL_BLOCKS : LEVEL_BLOCKS);
    this.levelMs += step;
    const isDrift = ++this.runBlocks > SETTLED_BLOCKS || isExact;
    if (isDrift) this.centerMs += step;
    if (this.levelBlocks === SETTLED_BLOCKS) {
      this.#settledFrame = endFrame;
      this.#settledMs = this.centerMs;
    }
    return isDrift ? 0 : step;
  }

  /** Notes a block that continues the run although its time is far off: inexact, or the first after the clock was set. */
  noteFarOff(deviationMs: Millis): void {
    this.#setByMs += (deviationMs - this.#setByMs) / ++this.#setBlocks;
    const isSlight = Math.abs(this.#setByMs) <= WIDEST_JITTER_MS;
    if (this.#setBlocks < (isSlight ? SLIGHTLY_SET_BLOCKS : SET_BLOCKS)) return;
    this.set(this.#setByMs, this.#setBlocks);
  }

  /** The clock was set, as the last `blocks` blocks have shown. */
  set(byMs: Millis, blocks: number): void {
    this.levelMs += byMs;
    this.centerMs += byMs;
    this.levelBlocks = blocks;
    // The run is misplaced by what it was before: from now on its center moves with its level.
    this.runBlocks = Math.max(this.runBlocks, SETTLED_BLOCKS);
    this.#setBlocks = 0;
  }

  noteInexact(): void {
    if (this.exactBlocks >= 0) this.jitterBlocks = 0;
    this.exactBlocks = -RELEARN_BLOCKS;
  }

  /** Ends the run of audio that ends at `endFrame`. */
  endRun(endFrame: number): void {
    const frames = endFrame - this.#settledFrame;
    if (this.levelBlocks <= SETTLED_BLOCKS || frames < DRIFT_FRAMES) return;
    this.#driftMsPerHour = rounded(((this.centerMs - this.#settledMs) / frames) * FRAMES_PER_HOUR);
  }

  /** How much the clock gains within this many frames; undefined while unknown. */
  driftMs(frames: number): Millis | undefined {
    return this.#driftMsPerHour === undefined ? undefined : (this.#driftMsPerHour * frames) / FRAMES_PER_HOUR;
  }

  /** Begins a run after a gap, with blocks whose times are off the new level by `deviations`. */
  beginRun(levelMs: Millis, deviations: readonly Millis[]): void {
    this.hadGap = true;
    this.levelMs = levelMs;
    this.levelBlocks = deviations.length;
    this.runBlocks = deviations.length;
    this.#setBlocks = 0;
    // A single block is on its own level in any case.
    if (deviations.length > 1) for (const deviationMs of deviations) this.#judge(Math.abs(deviationMs));
  }

  save(): SavedTrackClock {
    this.levelMs = rounded(this.levelMs);
    this.centerMs = rounded(this.centerMs);
    this.jitterMs = rounded(this.jitterMs);
    return {
      levelMs: this.levelMs,
      centerMs: this.centerMs,
      jitterMs: this.jitterMs,
      blocks: this.blocks,
      exactBlocks: this.exactBlocks,
      jitterBlocks: this.jitterBlocks,
      levelBlocks: this.levelBlocks,
      runBlocks: this.runBlocks,
      hadGap: this.hadGap,
      driftMsPerHour: this.#driftMsPerHour,
    };
  }

  restore(saved: SavedTrackClock): void {
    this.levelMs = saved.levelMs;
    this.centerMs = saved.centerMs;
    this.jitterMs = saved.jitterMs;
    this.blocks = saved.blocks;
    this.exactBlocks = saved.exactBlocks;
    this.jitterBlocks = saved.jitterBlocks ?? saved.blocks;
    this.runBlocks = saved.runBlocks;
    this.hadGap = saved.hadGap;
    this.#driftMsPerHour = saved.driftMsPerHour;
    // Restart the drift measurement.
    this.levelBlocks = Math.min(saved.levelBlocks, SETTLED_BLOCKS - 1);
  }

  /** The blocks that were far off were inexact. */
  #noteUnset(): void {
    this.#setBlocks = 0;
    const errorMs = Math.abs(this.#setByMs);
    if (errorMs <= WIDEST_JITTER_MS) this.#judge(errorMs);
  }

  #judge(errorMs: Millis): void {
    this.blocks++;
    if (errorMs <= EXACT_MS) this.exactBlocks++;
    else this.noteInexact();
    if (this.exactBlocks < 0) this.jitterBlocks++;
    // While the level is not well known, part of the deviation is its error.
    const jitterMs = Math.min(MOST_JITTER_MS, errorMs / (1 + 1 / Math.sqrt(this.levelBlocks + 1)));
    this.jitterMs = Math.max(this.jitterMs * JITTER_DECAY, jitterMs);
  }
}

function rounded(ms: Millis): Millis {
  return Math.round(ms * STEPS_PER_MS) / STEPS_PER_MS;
}
