import type { Log } from '../log/log.ts';
import type { HoleCause, SessionMetrics } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import { GapCauseTracker, type Reach } from './gap-cause.ts';

/** Logs and counts gaps as they show, each with its cause. */
export class GapReporter {
  readonly #log: Log;
  readonly #metrics: Pick<SessionMetrics, 'hole'>;
  readonly #causes = new GapCauseTracker();
  #reportedMs: Millis = 0;

  constructor(log: Log, metrics: Pick<SessionMetrics, 'hole'>) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** Reports trouble that may cost audio. */
  note(cause: HoleCause): void {
    this.#causes.note(cause);
  }

  /** Call this with the aligner after taking audio from it. */
  check(call: Reach & { readonly holeMs: Millis }): void {
    const { holeMs, positionMs } = call;
    if (holeMs === this.#reportedMs) {
      this.#causes.unfounded(call);
      return;
    }
    const cause = this.#causes.blame();
    const fields = { event: 'audio.hole', cause, missingMs: holeMs - this.#reportedMs, callMs: positionMs };
    this.#metrics.hole(cause, fields.missingMs);
    this.#log.warn(fields, 'audio is missing from the stream: replaced by silence');
    this.#reportedMs = holeMs;
  }
}
