import type { Check } from '../contract/control-api.ts';
import type { Clock, Millis } from '../runtime/clock.ts';

/** GET may be repeated by any program, so it connects to Deepgram and AWS at most this often. */
const RECENT_MS: Millis = 60_000;

interface Examination {
  readonly checks: readonly Check[];
  readonly atEpochMs: Millis;
}

/** Runs the doctor's checks, one run at a time, and remembers the last results. */
export class Examinations {
  readonly #examine: () => Promise<readonly Check[]>;
  readonly #clock: Clock;
  #running: Promise<Examination> | undefined;
  #last: Examination | undefined;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(examine: () => Promise<readonly Check[]>, clock: Clock) {
    this.#examine = examine;
    this.#clock = clock;
  }

  /** Undefined before the first results. */
  get last(): Examination | undefined {
    return this.#last;
  }

  /** The results of a new run, or of the one in progress. */
  fresh(): Promise<Examination> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The last results if they are recent, otherwise new ones. */
  async recent(): Promise<Examination> {
    return this.#last && this.#clock.now() - this.#lastAtMs < RECENT_MS ? this.#last : this.fresh();
  }

  async #run(): Promise<Examination> {
    const checks = await this.#examine();
    this.#lastAtMs = this.#clock.now();
    this.#last = { checks, atEpochMs: this.#clock.epoch() };
    return this.#last;
  }
}
