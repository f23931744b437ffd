import type { Cancel, Clock, Millis } from '../runtime/clock.ts';

/** What came of a write. */
export interface Written {
  /** Whether everything is on the disk. */
  readonly isComplete: boolean;
  /** Whether another write is due, though nothing has changed. */
  readonly isToBeRepeated: boolean;
}

/** Writes what has changed, one write at a time, and not more often than the disk deserves. */
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

  /** There is something to write: at once, or `everyMs` after the last write. */
  changed(): void {
    this.#hasChanged = true;
    if (this.#cancelTimer || this.#writing) return;
    const inMs = Math.max(0, this.#wroteAtMs + this.#everyMs - this.#clock.now());
    this.#cancelTimer = this.#clock.after(inMs, () => void this.flush());
  }

  /** Writes now, after a write that is under way. Resolves with whether everything is on the disk; never rejects. */
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
    const { isComplete, isToBeRepeated } = await this.#write();
    this.#writing = undefined;
    if (this.#hasChanged || isToBeRepeated) this.changed();
    return isComplete;
  }
}
