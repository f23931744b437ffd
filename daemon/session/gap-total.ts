import type { Millis } from '../runtime/clock.ts';

/** A gap, or several with audio between them, in ms of the call. */
interface Span {
  readonly startMs: Millis;
  readonly endMs: Millis;
  readonly missingMs: Millis;
}

/** More than the gaps of the seconds that wait to be safe at Deepgram, unless hundreds of ms are missing each second. */
const MOST_SPANS = 64;

/** How much of a call is missing before a moment of it, for a process that resumes there and counts what comes later. */
export class GapTotal {
  #settledMs: Millis;
  readonly #spans: Span[] = [];

  /** @param beforeMs what earlier processes have counted */
  constructor(beforeMs: Millis) {
    this.#settledMs = beforeMs;
  }

  add(span: Span): void {
    this.#spans.push(span);
    // A call that is read again has its gaps found out of order.
    this.#spans.sort((one, other) => one.startMs - other.startMs);
    if (this.#spans.length > MOST_SPANS) this.#settledMs += this.#spans.shift()?.missingMs ?? 0;
  }

  /** What is missing before `callMs`, which never decreases. */
  beforeMs(callMs: Millis): Millis {
    for (let span = this.#spans[0]; span && span.endMs <= callMs; span = this.#spans[0]) {
      this.#settledMs += span.missingMs;
      this.#spans.shift();
    }
    const [next] = this.#spans;
    if (!next || next.startMs >= callMs) return this.#settledMs;
    return this.#settledMs + (next.missingMs * (callMs - next.startMs)) / (next.endMs - next.startMs);
  }
}
