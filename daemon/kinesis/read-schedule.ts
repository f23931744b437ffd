import type { Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';

/**
 * The longest time between two reads when the thread is busy; the kernel gathers meanwhile. A read costs the same for
 * one block as for four. No audio waits longer for its read than this and a tick of the timer wheel.
 */
export const LONGEST_GATHER_MS: Millis = 270;
/** After a read that found its block, the next one is expected this much earlier, at first and in the end. */
const FIRST_STEP_MS: Millis = 16;
const LEAST_STEP_MS: Millis = 0.1;
/** Each read that came too early makes those steps smaller by this factor. */
const STEP_DECAY = 4;
/** After a read that came too early, the next block is expected this much later: 50 times the least step. */
const LATER_STEP_MS: Millis = 5;

/**
 * When a connection is read next. An idle thread reads at once, so bytes are taken as they arrive. A busy one reads just
 * after a block is expected, as many blocks later as it can wait for: a read between two blocks would find no more than
 * one just after the first of them, and all of it would have waited longer.
 *
 * How much later than its time a block arrives is learned from the reads: each that found its block expects the next one
 * a little earlier, and one that did not a lot later, so that one read in fifty comes too early.
 */
export class ReadSchedule {
  readonly #timers: Pick<TimerWheel, 'now' | 'load'>;
  /** Where the last block ends, on the producer's clock, and how long it is; 0 before the first one. */
  #endMs = 0;
  #blockMs = 0;
  /** How much later than its end, on the producer's clock, a block is here, on ours. */
  #delayMs = 0;
  #stepMs = FIRST_STEP_MS;
  /** The end of the block that the next read is to find. */
  #awaitedMs = 0;
  /** When the last read was due: while no block is known, reads keep their distances, however late one is. */
  #dueMs: Millis = 0;
  /** Whether the last read was due later than it could have been done. */
  #isDelayed = false;
  /** Whether the last read missed its block. */
  #wasEarly = false;

  constructor(timers: Pick<TimerWheel, 'now' | 'load'>) {
    this.#timers = timers;
  }

  /** A read at `nowMs` has brought blocks, the last of which ends at `endMs` on the producer's clock. */
  brought(endMs: number, blockMs: Millis, nowMs: Millis): void {
    const ageMs = nowMs - endMs;
    if (!this.#isDelayed || nowMs < this.#dueMs) this.#restart(ageMs);
    else if (ageMs < this.#delayMs) this.#delayMs = ageMs;
    else this.#learn(endMs >= this.#awaitedMs);
    this.#endMs = endMs;
    this.#blockMs = blockMs;
  }

  /** When to read next: now, or up to LONGEST_GATHER_MS later. */
  nextMs(): Millis {
    const nowMs = this.#timers.now();
    const gatherMs = LONGEST_GATHER_MS * this.#timers.load;
    if (this.#blockMs > 0) {
      const blocks = Math.floor(gatherMs / this.#blockMs / (this.#wasEarly ? 2 : 1));
      this.#awaitedMs = this.#endMs + blocks * this.#blockMs;
      this.#dueMs = Math.min(this.#awaitedMs + this.#delayMs, nowMs + gatherMs);
    } else {
      this.#dueMs += gatherMs;
    }
    this.#isDelayed = this.#dueMs > nowMs && this.#blockMs > 0;
    this.#dueMs = Math.max(nowMs, this.#dueMs);
    return this.#dueMs;
  }

  /** Takes a read that was not delayed for one that found its block as it arrived. */
  #restart(ageMs: Millis): void {
    this.#wasEarly = false;
    this.#delayMs = ageMs;
    this.#stepMs = FIRST_STEP_MS;
  }

  #learn(isFound: boolean): void {
    this.#wasEarly = !isFound;
    if (isFound) {
      this.#delayMs -= this.#stepMs;
    } else {
      this.#delayMs += Math.max(this.#stepMs, LATER_STEP_MS);
      this.#stepMs = Math.max(LEAST_STEP_MS, this.#stepMs / STEP_DECAY);
    }
  }
}
