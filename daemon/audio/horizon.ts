import { SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import type { BlockPlacer } from './block-placer.ts';
import { type Call, LONGEST_LEAD_FRAMES } from './placed-track.ts';

/** How far the call is settled: both tracks are there, or one has waited long enough for the other. */
export class Horizon {
  readonly #sides: readonly [BlockPlacer, BlockPlacer];
  readonly #call: Call;
  readonly #waitMs: Millis;
  readonly #waitFrames: number;
  /** Waiting that was not the stream's doing does not count: everything waits from here on. */
  #waitFromMs: Millis = -Infinity;

  constructor(sides: readonly [BlockPlacer, BlockPlacer], call: Call, waitMs: Millis) {
    this.#sides = sides;
    this.#call = call;
    this.#waitMs = waitMs;
    this.#waitFrames = waitMs * SAMPLES_PER_MS;
  }

  /** Counts what waits as if it had arrived at `fromMs`, if it arrived before. */
  waitFrom(fromMs: Millis): void {
    this.#waitFromMs = Math.max(this.#waitFromMs, fromMs);
  }

  /** When the next decision after `nowMs` is due if no block arrives before; Infinity when nothing waits for one. */
  dueMs(nowMs: Millis): Millis {
    const [a, b] = this.#sides;
    return Math.min(
      this.#dueAfter(nowMs, a.heldSinceMs),
      this.#dueAfter(nowMs, b.heldSinceMs),
      this.#dueAfter(nowMs, this.#otherSinceMs(a, b)),
      this.#dueAfter(nowMs, this.#otherSinceMs(b, a)),
      this.#dueAfter(nowMs, this.#awaySinceMs()),
    );
  }

  /** Makes the decisions that have waited long enough. */
  settleOverdue(nowMs: Millis, isFinished: boolean): void {
    const [a, b] = this.#sides;
    if (a.isHolding) this.#settleIfOverdue(a, b, nowMs, isFinished);
    if (b.isHolding) this.#settleIfOverdue(b, a, nowMs, isFinished);
  }

  /** How many more frames are settled, once the decisions are made that are needed to take up to `longest` of them. */
  settledFrames(longest: number, nowMs: Millis, isFinished: boolean): number {
    const { takenFrames } = this.#call;
    const [a, b] = this.#sides;
    if (isFinished) return Math.max(a.placed.endFrame, b.placed.endFrame) - takenFrames;
    if (!a.isHolding && !b.isHolding) return this.#frame(nowMs) - takenFrames;
    this.#settleFor(a, b, takenFrames + longest, nowMs);
    this.#settleFor(b, a, takenFrames + longest, nowMs);
    return Math.min(this.#frame(nowMs), a.settledFrame, b.settledFrame) - takenFrames;
  }

  #frame(nowMs: Millis): number {
    const [a, b] = this.#sides;
    const [ahead, behind] = a.reachFrame > b.reachFrame ? [a, b] : [b, a];
    const end = ahead.reachFrame;
    if (this.#isAway(behind)) {
      // The other continues alone, just far enough behind that the absent one can be placed when it returns.
      return this.#hasWaited(nowMs, ahead.lastArrivedAtMs) ? end : end - this.#returnFrames(behind);
    }
    const behindFrame = behind.nextFrame;
    const leadFrames = end - behindFrame;
    const hasWaited =
      leadFrames > this.#waitFrames &&
      this.#hasWaited(nowMs, Math.min(ahead.placed.track.waitingSinceMs, ahead.heldSinceMs));
    if (!hasWaited && leadFrames <= LONGEST_LEAD_FRAMES) return Math.min(behindFrame, end);
    return end - this.#waitFrames;
  }

  #isAway(side: BlockPlacer): boolean {
    return !side.isHolding && side.placed.endFrame < this.#call.takenFrames;
  }

  #returnFrames({ placed }: BlockPlacer): number {
    return placed.hasBegun ? Math.min(this.#waitFrames, placed.grid.usualFrames + placed.jitterFrames) : 0;
  }

  #settleIfOverdue(holding: BlockPlacer, other: BlockPlacer, nowMs: Millis, isFinished: boolean): void {
    if (this.#hasWaited(nowMs, other.placed.track.waitingSinceMs)) holding.settleAbsence();
    if (isFinished || this.#hasWaited(nowMs, holding.heldSinceMs)) holding.settle();
  }

  /** Lets a track hold blocks no longer than the other one may have to wait. */
  #settleFor(holding: BlockPlacer, { placed }: BlockPlacer, frame: number, nowMs: Millis): void {
    const isOverdue = this.#hasWaited(nowMs, placed.track.waitingSinceMs);
    const isFarAhead = placed.endFrame > holding.settledFrame + LONGEST_LEAD_FRAMES;
    if (isOverdue || isFarAhead) holding.settleBefore(Math.min(frame, placed.endFrame - this.#waitFrames));
  }

  #hasWaited(nowMs: Millis, sinceMs: Millis): boolean {
    return Math.max(sinceMs, this.#waitFromMs) + this.#waitMs <= nowMs;
  }

  /**
   * When the current wait will have lasted long enough; Infinity when it already has, and more time changes nothing.
   */
  #dueAfter(nowMs: Millis, sinceMs: Millis): Millis {
    const dueMs = Math.max(sinceMs, this.#waitFromMs) + this.#waitMs;
    return dueMs > nowMs ? dueMs : Infinity;
  }

  /** When the audio arrived that waits for the other track to continue, or to settle what it holds; Infinity if none does. */
  #otherSinceMs({ placed, reachFrame }: BlockPlacer, other: BlockPlacer): Millis {
    const isAhead = reachFrame - other.nextFrame > this.#waitFrames;
    return other.isHolding || isAhead ? placed.track.waitingSinceMs : Infinity;
  }

  /** When the audio arrived that waits because the other track is absent. */
  #awaySinceMs(): Millis {
    const { takenFrames } = this.#call;
    const [a, b] = this.#sides;
    const [ahead, behind] = a.placed.endFrame > b.placed.endFrame ? [a, b] : [b, a];
    return this.#isAway(behind) && ahead.placed.endFrame > takenFrames ? ahead.lastArrivedAtMs : Infinity;
  }
}
