import type { Millis } from '../runtime/clock.ts';

/** More than two clocks drift apart by: crystals are good to 100 ppm, and the worst that is assumed is 300. */
const MOST_DRIFT = 0.0005;
/** The edge is known once no audio has been this much earlier than all before it, for this long. */
const SETTLED_WITHIN_MS: Millis = 20;
const SETTLED_AFTER_MS: Millis = 2000;

/**
 * When each moment of a call can be read at the earliest, on our own clock: what is handed over later than that is lag.
 *
 * The producer's clock and ours may be seconds apart, so the difference between them says nothing. How that difference
 * changes does: audio that never waited anywhere shows the smallest one, and everything above it is time spent waiting.
 * That is the relative transit time of RFC 3550, 6.4.1, with the call's own clock, which the aligner keeps, as the
 * timestamp. The smallest difference may rise by 500 ppm, because clocks drift. A constant delay, such as Connect's own,
 * is part of it and does not show.
 *
 * A reader that begins behind, with a call that is already running, is at the edge only when it has caught up. Until
 * then the edge moves earlier with every read and is not settled: lag from that time is known afterwards.
 *
 * One object per call; nothing is allocated.
 */
export class LiveEdge {
  /** Our time minus call time at the edge, at `#notedAtMs`. */
  #offsetMs: Millis = Infinity;
  #notedAtMs: Millis = 0;
  #settlesAtMs: Millis = Infinity;
  #isSettled = false;

  /** True once the reader has caught up. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** The call's audio up to `callMs` arrived, or had arrived, at `atMs` of our clock. */
  arrived(callMs: Millis, atMs: Millis): void {
    const offsetMs = atMs - callMs;
    const knownMs = this.#offsetAt(atMs);
    this.#notedAtMs = atMs;
    this.#offsetMs = Math.min(knownMs, offsetMs);
    if (this.#isSettled) return;
    if (knownMs - offsetMs > SETTLED_WITHIN_MS) this.#settlesAtMs = atMs + SETTLED_AFTER_MS;
    else this.#isSettled = atMs >= this.#settlesAtMs;
  }

  /** Audio is held back on purpose (enforceRealtime): the audio up to `callMs` is due at `dueMs`, not before. */
  paced(callMs: Millis, dueMs: Millis): void {
    this.#offsetMs = dueMs - callMs;
    this.#notedAtMs = dueMs;
    this.#isSettled = true;
  }

  /** The flow streams again after a pause: the audio that follows has an edge of its own. */
  restart(): void {
    this.#offsetMs = Infinity;
    this.#settlesAtMs = Infinity;
    this.#isSettled = false;
  }

  /** The lag of audio that ends at `callMs` and is handed over at `atMs`; 0 before any audio. */
  lagMs(callMs: Millis, atMs: Millis): Millis {
    return Math.max(0, atMs - callMs - this.#offsetAt(atMs));
  }

  #offsetAt(atMs: Millis): Millis {
    return this.#offsetMs + MOST_DRIFT * (atMs - this.#notedAtMs);
  }
}
