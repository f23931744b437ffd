import type { Cancel, Clock, Millis } from '../runtime/clock.ts';

/** Result of a write. */
export interface Written {
  /** True if everything is on disk. */
  readonly isComplete: boolean;
  /** True if another write is needed even without further changes. */
  readonly isUnfinished: boolean;
}

/** Limits how often changes are written: one write at a time, at most one per interval. */
export class PacedWriter {
  readonly #write: () => Promise<Written>;
  readonly #everyMs: Millis;
  readonly #clock: Clock;
  #writing: Promise<boolean> | undefined;
  #cancelTimer: Cancel | undefined;
  #wroteAtMs: Millis = -Infinity;
  #hasChanged = false;

  /** @param write must not reject */
  constructor(write: () => Promise<Written>, everyMs: Millis, clock: Clock) {
    this.#write = write;
    this.#everyMs = everyMs;
    this.#clock = clock;
  }

  /** Schedules a write: at once, or `everyMs` after the last one. */
  changed(): void {
    this.#hasChanged = true;
    if (this.#cancelTimer || this.#writing) return;
    const inMs = Math.max(0, this.#wroteAtMs + this.#everyMs - this.#clock.now());
    this.#cancelTimer = this.#clock.after(inMs, () => void this.flush());
  }

  /** Writes now, or after the write in progress. Resolves with whether everything is on disk; never rejects. */
  async flush(): Promise<boolean> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (this.#writing) await this.#writing;
    this.#writing = this.#writeOnce();
    return this.#writing;
  }

  async #writeOnce(): Promise<boolean> {
    this.#hasChanged = false;
    this.#wroteAtMs = this.#clock.now();
    const { isComplete, isUnfinished } = await this.#write();
    this.#writing = undefined;
    if (this.#hasChanged || isUnfinished) this.changed();
    return isComplete;
  }
}
