import type { Clock, Millis } from '../runtime/clock.ts';

/** trigger/README.md, enforceRealtime: at least 64 ms between messages of 64 ms. */
export const REALTIME_MESSAGE_MS: Millis = 64;

/** Limits audio to real time. */
export class Pacer {
  readonly #clock: Clock;
  #freeAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when audio of `durationMs` may be sent, with the time when it was due; once the signal aborts, at once. */
  async turn(durationMs: Millis, signal: AbortSignal): Promise<Millis> {
    const dueMs = Math.max(this.#freeAtMs, this.#clock.now());
    const waitMs = this.#freeAtMs - this.#clock.now();
    if (waitMs > 0) {
      await this.#clock.sleep(waitMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
    this.#freeAtMs = this.#clock.now() + durationMs;
    return dueMs;
  }
}
