import type { Millis } from '../runtime/clock.ts';
import type { Outage } from './outage.ts';
import type { KinesisRefused } from './refusal.ts';

/** Since when a contact has been silent. Time in which Kinesis refuses the stream is not silence. */
export class Silence {
  readonly #outage: Outage;
  #sinceMs: Millis;

  constructor(outage: Outage, nowMs: Millis) {
    this.#outage = outage;
    this.#sinceMs = nowMs;
  }

  /** A connection has ended. With audio, or without an error, it ends an outage. */
  noteConnection(ended: {
    readonly openedAtMs: Millis;
    /** When it last brought new audio; undefined: it brought none. */
    readonly audioAtMs: Millis | undefined;
    readonly streamError: KinesisRefused | undefined;
  }): void {
    const { openedAtMs, audioAtMs, streamError } = ended;
    if (audioAtMs !== undefined) this.#sinceMs = audioAtMs;
    else if (streamError) return;
    else this.#sinceMs += this.#outage.lengthMs(openedAtMs);
    this.#outage.end();
  }

  /** When the silence began, moved by the outage that still lasts. */
  sinceMs(nowMs: Millis): Millis {
    return this.#sinceMs + this.#outage.lengthMs(nowMs);
  }
}
