import type { Millis } from '../runtime/clock.ts';

/** What is read at once at the beginning, behind a call that is already running, says nothing about the pace. */
const SETTLING_MS: Millis = 500;
/** Longer than a stream's fragments, much shorter than a call. */
const WINDOW_MS: Millis = 2000;
/** A fragment that comes at the beginning of a window must not look like a backlog. */
const LEAST_MS: Millis = 100;
/** A stream that stalls for longer says nothing about its pace; fragments of a call come once a second or so. */
const STALL_MS: Millis = 1500;
/** A call in real time is slower in every window, also with fragments of two seconds. */
const SLOWEST_RECORDING = 2;
/** Faster comes only a backlog, which Kinesis delivers as fast as it can be read. */
const FASTEST_RECORDING = 16;

/**
 * Tells recordings and load tests from calls in real time: they come at a steady pace that is a few times faster.
 * Deepgram is assumed to process them as they come; otherwise minutes of each would count as unprocessed. A call counts
 * as one in real time unless every window so far shows otherwise: what is taken for a recording by mistake would be lost
 * with a connection.
 */
export class CallPace {
  #isLive: boolean;
  #isRecording = false;
  #windowAtMs: Millis | undefined;
  #windowCallMs: Millis = 0;
  #callMs: Millis = 0;
  #reachedAtMs: Millis = 0;

  /** @param isLive the call is known to be one in real time: the start said when it began, as Connect's do */
  constructor(isLive: boolean) {
    this.#isLive = isLive;
  }

  get isRecording(): boolean {
    return this.#isRecording;
  }

  /** The call is here up to `callMs`. */
  reached(callMs: Millis, nowMs: Millis): void {
    if (this.#isLive) return;
    // What is read again says nothing either.
    if (this.#windowAtMs === undefined) this.#windowAtMs = nowMs + SETTLING_MS;
    else if (nowMs - this.#reachedAtMs > STALL_MS || callMs <= this.#callMs) this.#windowAtMs = nowMs;
    if (nowMs <= this.#windowAtMs) this.#windowCallMs = callMs;
    else this.#judge(callMs, nowMs - this.#windowAtMs, nowMs);
    this.#callMs = Math.max(this.#callMs, callMs);
    this.#reachedAtMs = nowMs;
  }

  /** The call is held back: it is here, and waits for Deepgram. That is a backlog, unless its pace is known. */
  heldBack(): void {
    if (!this.#isRecording) this.#isLive = true;
  }

  #judge(callMs: Millis, ms: Millis, nowMs: Millis): void {
    const pace = (callMs - this.#windowCallMs) / Math.max(ms, LEAST_MS);
    const isComplete = ms >= WINDOW_MS;
    const isBacklog = pace > FASTEST_RECORDING && !this.#isRecording;
    if (isBacklog || (isComplete && pace < SLOWEST_RECORDING)) {
      this.#isLive = true;
      this.#isRecording = false;
    } else if (isComplete) {
      this.#isRecording = true;
      this.#windowAtMs = nowMs;
      this.#windowCallMs = callMs;
    }
  }
}
