import { BYTES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import { FASTEST_RATE } from './backlog.ts';

/** Deepgram sends results, if only empty ones, every few seconds: after this much audio something is wrong. */
const SILENT_BYTES = 30_000 * BYTES_PER_MS;
/** Audio that is sent at once, after an outage, needs its time. */
const SILENT_MS: Millis = 30_000 / FASTEST_RATE;
/** A shorter call may end without any result. */
const SHORTEST_CALL_BYTES = 1000 * BYTES_PER_MS;

/** Detects a stream that stays open without results. Positions are bytes of the call. */
export class ResultsWatch {
  readonly #start: number;
  #count = 0;
  /** What was sent, and when, at the last result or warning. */
  #sinceAt: number;
  #sinceMs: Millis;
  #hasWarned = false;

  constructor(start: number, nowMs: Millis) {
    this.#start = start;
    this.#sinceAt = start;
    this.#sinceMs = nowMs;
  }

  /**
   * True once for each time without results that is too long.
   * @param count results so far
   * @param sent up to where the call was sent
   */
  isSilent(count: number, sent: number, nowMs: Millis): boolean {
    const hasResult = count > this.#count;
    if (!hasResult && (sent - this.#sinceAt < SILENT_BYTES || nowMs - this.#sinceMs < SILENT_MS)) return false;
    if (hasResult) {
      this.#count = count;
      this.#hasWarned = false;
    }
    this.#sinceAt = sent;
    this.#sinceMs = nowMs;
    if (hasResult || this.#hasWarned) return false;
    this.#hasWarned = true;
    return true;
  }

  /** True at the end of a call without any result, unless that was reported. */
  isSilentAtEnd(count: number, sent: number): boolean {
    return count === 0 && !this.#hasWarned && sent - this.#start >= SHORTEST_CALL_BYTES;
  }
}
