import type { Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Clock, Millis } from '../runtime/clock.ts';

/** A producer that keeps reconnecting must not fill the log. */
const EVERY_MS: Millis = 10_000;

/** What the aligner knows of audio that the producer sent again. */
interface Repetitions {
  /** Repeated audio left out so far. */
  readonly repeatedMs: Millis;
  /** True while more of it may follow. */
  readonly isRepeating: boolean;
  readonly positionMs: Millis;
}

/** Counts audio that the producer sent again and that was left out, and logs each occurrence once. */
export class RepetitionReporter {
  readonly #log: Log;
  readonly #metrics: Pick<SessionMetrics, 'repeatedMs'>;
  readonly #clock: Pick<Clock, 'now'>;
  #countedMs: Millis = 0;
  #loggedMs: Millis = 0;
  #lineAtMs: Millis = -Infinity;
  /** What earlier aligners of the call had found. */
  #earlierMs: Millis = 0;

  constructor(log: Log, metrics: Pick<SessionMetrics, 'repeatedMs'>, clock: Pick<Clock, 'now'>) {
    this.#log = log;
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** Call this with the aligner after taking audio from it. */
  check(call: Repetitions): void {
    const { repeatedMs } = call;
    this.#metrics.repeatedMs += repeatedMs - this.#countedMs;
    this.#countedMs = repeatedMs;
    if (repeatedMs === this.#loggedMs || call.isRepeating) return;
    if (this.#clock.now() - this.#lineAtMs >= EVERY_MS) this.#write(call);
  }

  /** All of a call, with `repeatedMs` of its aligner. */
  totalMs(repeatedMs: Millis): Millis {
    return this.#earlierMs + repeatedMs;
  }

  /** The call is read again, with another aligner. */
  restart(): void {
    this.#earlierMs += this.#countedMs;
    this.#countedMs = 0;
    this.#loggedMs = 0;
  }

  /** Logs what was not logged yet. */
  finish(call: Repetitions): void {
    if (call.repeatedMs > this.#loggedMs) this.#write(call);
  }

  #write({ repeatedMs, positionMs }: Repetitions): void {
    const fields = { event: 'audio.repeated', repeatedMs: repeatedMs - this.#loggedMs, callMs: positionMs };
    this.#loggedMs = repeatedMs;
    this.#lineAtMs = this.#clock.now();
    this.#log.info(fields, 'the producer sent audio again: left out');
  }
}
