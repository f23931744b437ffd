import { type Channel, SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import { BlockGrid } from './block-grid.ts';
import type { BlockMark, TrackPlace } from './call-clock.ts';
import type { AudioBlock } from './pcm.ts';
import { Track } from './track.ts';
import { TrackClock, WIDEST_JITTER_MS } from './track-clock.ts';

/** A longer jump forward is a clock that was set, not audio that is missing: Kinesis would not have kept it. */
export const LONGEST_GAP_FRAMES = (10 * 60_000 + 1000) * SAMPLES_PER_MS;
/** One track waits for the other with at most this, 480 KB, however fast the stream is read. */
export const LONGEST_LEAD_FRAMES = 30_000 * SAMPLES_PER_MS;
/** In shorter absences a clock does not drift by more than its center is known to. */
const DRIFT_MATTERS_MS: Millis = 10_000;
/** More drift than any clock has: it was set. */
const MOST_DRIFT = 0.001;
/** What one gap makes good of an earlier misplacement: with its own blocks' 60 ms it stays true; and what may remain. */
const MOST_CORRECTED_MS: Millis = 60;
const MOST_MISPLACED_MS: Millis = 90;

/** What both tracks go by. */
export interface Call {
  /** The producer's time of frame 0. */
  originMs: Millis;
  /** How far the call was taken: nothing can be placed before. */
  takenFrames: number;
}

/** A track on the call's clock: where it ends, and where its times say that its audio belongs. */
export class PlacedTrack {
  readonly track: Track;
  readonly clock = new TrackClock();
  readonly grid = new BlockGrid();
  hasBegun = false;
  readonly #call: Call;
  #other: PlacedTrack = this;
  /** The other clock's center when the last block was placed. */
  #otherCenterMs = 0;

  constructor(channel: Channel, call: Call) {
    this.track = new Track(channel);
    this.#call = call;
  }

  pairWith(other: PlacedTrack): void {
    this.#other = other;
    other.#other = this;
  }

  get endFrame(): number {
    return this.track.endFrame;
  }

  /** True while all times seen lately were exact. */
  get isExact(): boolean {
    return this.clock.looksExact(this.#other.clock);
  }

  /** Exact blocks in a row, of both tracks. */
  get exactBlocks(): number {
    return this.clock.exactBlocks + Math.max(0, this.#other.clock.exactBlocks);
  }

  /** A deviation up to this may be inexactness. */
  get boundMs(): Millis {
    return this.clock.boundMs(this.#other.clock);
  }

  get jitterFrames(): number {
    return Math.ceil(this.clock.jitterMs * SAMPLES_PER_MS);
  }

  /** True when a block cannot continue the track: it has not begun, or the call was taken beyond its end. */
  get isAway(): boolean {
    return !this.hasBegun || this.endFrame < this.#call.takenFrames;
  }

  /** How much later than expected a block is if it continues the track. */
  deviationMs(timeMs: Millis): Millis {
    return this.clock.deviationMs(timeMs, this.endFrame);
  }

  /** True if a moment has been taken already. */
  isTaken(timeMs: Millis): boolean {
    return (timeMs - this.clock.centerMs) * SAMPLES_PER_MS < this.#call.takenFrames;
  }

  /** True if a time is so far from the call that the clock must have been set. */
  isSet(timeMs: Millis): boolean {
    // The other track may have shown the set already, and is no measure for one that continues.
    return this.#isFarOff(timeMs, this.isAway ? this.#centerAfter(timeMs) : this.clock.centerMs);
  }

  /** Begins the track at `startFrame`; its clock's level comes from `levelBlocks` blocks. */
  begin(startFrame: number, levelMs: Millis, levelBlocks: number, centerMs: Millis): void {
    this.hasBegun = true;
    this.track.endFrame = startFrame;
    this.clock.levelMs = levelMs;
    this.clock.levelBlocks = levelBlocks;
    this.clock.centerMs = centerMs;
    this.#otherCenterMs = centerMs;
  }

  /** Places a block at the track's end. */
  append(block: AudioBlock, frame = this.endFrame): void {
    this.grid.note(block.pcm.length >> 1);
    this.#otherCenterMs = this.#other.clock.likelyCenterMs;
    this.track.append(frame, block);
  }

  /** Places a block at the track's end, and notes what its time says. */
  continueWith(block: AudioBlock, deviationMs: Millis): void {
    this.append(block);
    const { clock } = this;
    const distanceMs = Math.abs(deviationMs);
    if (distanceMs > this.boundMs && distanceMs <= WIDEST_JITTER_MS) clock.noteInexact();
    if (distanceMs > this.boundMs) clock.noteFarOff(deviationMs);
    else this.#shareCenter(clock.note(deviationMs, this.endFrame));
  }

  /** Places blocks after a gap, the first of which was said at `startMs`; each time is off that by a deviation. */
  placeAfterGap(blocks: readonly AudioBlock[], startMs: Millis, deviations: readonly Millis[], isExact: boolean): void {
    const { clock } = this;
    const isSet = this.isSet(startMs);
    const right = isSet ? 0 : this.rightFrame(startMs, isExact);
    const frame = Math.max(right, this.endFrame, this.#call.takenFrames);
    clock.endRun(this.endFrame);
    clock.beginRun(startMs - frame / SAMPLES_PER_MS, deviations);
    clock.centerMs = isSet ? clock.levelMs : this.#centerAfter(startMs);
    this.hasBegun = true;
    let at = frame;
    for (const block of blocks) {
      this.append(block, at);
      at = this.endFrame;
    }
  }

  /** Where audio belongs that follows a gap and was said at `startMs`. */
  rightFrame(startMs: Millis, isExact: boolean): number {
    const frame = Math.round((startMs - this.#centerAfter(startMs)) * SAMPLES_PER_MS);
    if (!this.hasBegun || isExact) return frame;
    const misplacedMs = this.clock.centerMs - this.clock.levelMs;
    const mostMs = Math.max(MOST_CORRECTED_MS, Math.abs(misplacedMs) - MOST_MISPLACED_MS);
    const correctedMs = Math.max(-mostMs, Math.min(mostMs, misplacedMs));
    return frame + Math.round((misplacedMs - correctedMs) * SAMPLES_PER_MS);
  }

  save(lastBlocks: readonly BlockMark[]): TrackPlace {
    return {
      ...this.clock.save(),
      endFrame: this.hasBegun ? this.endFrame : undefined,
      otherCenterMs: this.#otherCenterMs,
      usualFrames: this.grid.usualFrames,
      lastFrames: this.grid.lastFrames,
      lastBlocks,
    };
  }

  restore(saved: TrackPlace): void {
    this.hasBegun = saved.endFrame !== undefined;
    this.track.endFrame = saved.endFrame ?? 0;
    this.clock.restore(saved);
    this.#otherCenterMs = saved.otherCenterMs;
    this.grid.usualFrames = saved.usualFrames;
    this.grid.lastFrames = saved.lastFrames;
  }

  /** While neither track had a gap, both are in their right place: their common center is between their levels. */
  #shareCenter(stepMs: Millis): void {
    const { clock } = this;
    const { hasBegun, clock: otherClock } = this.#other;
    if (clock.hadGap) return;
    if (!hasBegun) clock.centerMs += stepMs;
    else if (!otherClock.hadGap) {
      clock.centerMs += stepMs / 2;
      otherClock.centerMs += stepMs / 2;
    }
  }

  /** The clock's center after a gap that ends at `startMs`. */
  #centerAfter(startMs: Millis): Millis {
    const { centerMs } = this.clock;
    const otherMs = this.#other.clock.likelyCenterMs;
    if (!this.hasBegun) return otherMs;
    const absentFrames = (startMs - centerMs) * SAMPLES_PER_MS - this.endFrame;
    const absentMs = Math.abs(absentFrames) / SAMPLES_PER_MS;
    const otherShiftMs = otherMs - this.#otherCenterMs;
    if (Math.abs(otherShiftMs) > WIDEST_JITTER_MS + MOST_DRIFT * absentMs) {
      return this.#isFarOff(startMs, centerMs + otherShiftMs) ? centerMs : centerMs + otherShiftMs;
    }
    if (absentMs < DRIFT_MATTERS_MS) return centerMs;
    return centerMs + (this.clock.driftMs(absentFrames) ?? otherShiftMs);
  }

  #isFarOff(timeMs: Millis, centerMs: Millis): boolean {
    const { takenFrames } = this.#call;
    const reached = Math.max(takenFrames, this.endFrame, this.#other.endFrame);
    const frame = (timeMs - centerMs) * SAMPLES_PER_MS;
    return frame > reached + LONGEST_GAP_FRAMES || (this.isAway && frame < takenFrames - LONGEST_LEAD_FRAMES);
  }
}
