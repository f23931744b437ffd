import type { Millis } from '../runtime/clock.ts';
import type { BlockMark } from './call-clock.ts';
import { WIDEST_JITTER_MS } from './track-clock.ts';

/**
 * Audio up to this much older than the place was read before: earlier versions saved places a minute and more after where
 * the stream is read again. Kinesis does not keep more of a stream without retention, so what is older by more has a clock
 * that was set (placed-track.ts has the same limit for audio that is later).
 */
const LONGEST_REREAD_MS: Millis = 10 * 60_000;

/**
 * Finds the sample where an earlier process left a track, in a stream that is read again from an earlier fragment. Uses
 * the last two placed blocks, because inexact times alone are not precise enough.
 */
export class Rejoin {
  readonly #before: BlockMark | undefined;
  readonly #last: BlockMark;
  /** Later blocks are new ones. */
  readonly #spreadMs: Millis;
  #passed: BlockMark | undefined;

  constructor([before, last]: readonly [BlockMark | undefined, BlockMark], isExact: boolean) {
    this.#before = before;
    this.#last = last;
    this.#spreadMs = isExact ? 0 : WIDEST_JITTER_MS;
  }

  /** The last blocks that were placed, the oldest first. */
  get lastBlocks(): readonly BlockMark[] {
    return this.#before ? [this.#before, this.#last] : [this.#last];
  }

  /** Whether a block comes before the place, is the last one before it, or shows that the place was missed. */
  judge(timeMs: Millis, fingerprint: number): 'before' | 'last' | 'beyond' {
    const [lastMs] = this.#last;
    if (timeMs > lastMs + this.#spreadMs || timeMs < lastMs - LONGEST_REREAD_MS) return 'beyond';
    const mark = [timeMs | 0, fingerprint] as const;
    const follows = !this.#before || !this.#passed || isSame(this.#before, this.#passed);
    this.#passed = mark;
    return follows && isSame(this.#last, mark) ? 'last' : 'before';
  }
}

function isSame(one: BlockMark, other: BlockMark): boolean {
  return one[0] === other[0] && one[1] === other[1];
}
