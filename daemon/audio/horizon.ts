import { SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import type { BlockPlacer } from './block-placer.ts';
import { type Call, LONGEST_LEAD_FRAMES } from './placed-track.ts';

/** Up to where the call is settled: both tracks are there, or one has waited long enough for the other. */
export class Horizon {
  readonly #sides: readonly [BlockPlacer, BlockPlacer];
  readonly #call: Call;
  readonly #waitMs: Millis;
  readonly #waitFrames: number;

  constructor(sides: readonly [BlockPlacer, BlockPlacer], call: Call, waitMs: Millis) {
    this.#sides = sides;
    this.#call = call;
    this.#waitMs = waitMs;
    this.#waitFrames = waitMs * SAMPLES_PER_MS;
  }

  /** When something has waited long enough if no block arrives before; Infinity when nothing waits for that. */
  get dueMs(): Millis {
    const [a, b] = this.#sides;
    return Math.min(a.heldSinceMs, b.heldSinceMs, this.#awaySinceMs()) + this.#waitMs;
  }

  /** Decides what has waited long enough. */
  settleOverdue(nowMs: Millis, isFinished: boolean): void {
    const [a, b] = this.#sides;
    if (a.isHolding) this.#settleIfOverdue(a, b, nowMs, isFinished);
    if (b.isHolding) this.#settleIfOverdue(b, a, nowMs, isFinished);
  }

  /** How many more frames are settled, after the decisions that it takes to take up to `longest` of them. */
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
      // The other goes on by itself, and stays behind just so far that the one that is away can be placed when it returns.
      return nowMs - ahead.heardAtMs >= this.#waitMs ? end : end - this.#returnFrames(behind);
    }
    const behindFrame = behind.nextFrame;
    const leadFrames = end - behindFrame;
    const hasWaited =
      leadFrames > this.#waitFrames &&
      nowMs - Math.min(ahead.placed.track.waitingSinceMs, ahead.heldSinceMs) >= this.#waitMs;
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
    if (nowMs - other.placed.track.waitingSinceMs >= this.#waitMs) holding.settleAbsence();
    if (isFinished || nowMs - holding.heldSinceMs >= this.#waitMs) holding.settle();
  }

  /** Lets a track hold blocks no longer than the other one may have to wait. */
  #settleFor(holding: BlockPlacer, { placed }: BlockPlacer, frame: number, nowMs: Millis): void {
    const isOverdue = nowMs - placed.track.waitingSinceMs >= this.#waitMs;
    const isFarAhead = placed.endFrame > holding.settledFrame + LONGEST_LEAD_FRAMES;
    if (isOverdue || isFarAhead) holding.settleBefore(Math.min(frame, placed.endFrame - this.#waitFrames));
  }

  /** When the audio arrived that stays behind because the other track is away. */
  #awaySinceMs(): Millis {
    const { takenFrames } = this.#call;
    const [a, b] = this.#sides;
    const [ahead, behind] = a.placed.endFrame > b.placed.endFrame ? [a, b] : [b, a];
    return this.#isAway(behind) && ahead.placed.endFrame > takenFrames ? ahead.heardAtMs : Infinity;
  }
}
