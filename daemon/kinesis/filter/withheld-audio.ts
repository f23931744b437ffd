import type { Millis } from '../../runtime/clock.ts';
import { isAfter } from './delivery.ts';

/** Audio withheld since the last that was forwarded, each fragment counted once however often it is read. */
export class WithheldAudio {
  #ms: Millis = 0;
  #lastNumber: string | undefined;

  get ms(): Millis {
    return this.#ms;
  }

  add(fragmentNumber: string | undefined, ms: Millis): void {
    const last = this.#lastNumber;
    if (fragmentNumber !== undefined && last !== undefined && !isAfter(fragmentNumber, last)) return;
    this.#lastNumber = fragmentNumber ?? last;
    this.#ms += ms;
  }

  /** Audio was forwarded: anything withheld before it counts as a gap. */
  clear(): void {
    this.#ms = 0;
  }
}
