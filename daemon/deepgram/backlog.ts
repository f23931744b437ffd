import type { Millis } from '../runtime/clock.ts';

/** daemon/deepgram/README.md, "What real lines do": Deepgram processes audio no faster than this times real time. */
export const FASTEST_RATE = 1.25;

/** By arithmetic: how much of the audio sent on a connection is not processed yet at a rate. */
export class Backlog {
  readonly #rate: number;
  #audioMs: Millis = 0;
  #atMs: Millis;

  /** @param rate call time processed per time */
  constructor(rate: number, nowMs: Millis) {
    this.#rate = rate;
    this.#atMs = nowMs;
  }

  sent(audioMs: Millis, nowMs: Millis): void {
    this.#audioMs = this.at(nowMs) + audioMs;
    this.#atMs = nowMs;
  }

  /** Call time that is not processed. */
  at(nowMs: Millis): Millis {
    return Math.max(0, this.#audioMs - (nowMs - this.#atMs) * this.#rate);
  }
}
