import type { Log } from '../log/log.ts';
import type { HoleCause, SessionMetrics } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import { GapCauseTracker, type Reach } from './gap-cause.ts';

/** Logs and counts what is missing of a call as soon as that shows, with its cause. */
export class GapReporter {
  readonly #log: Log;
  readonly #metrics: Pick<SessionMetrics, 'hole'>;
  readonly #causes = new GapCauseTracker();
  #reportedMs: Millis = 0;

  constructor(log: Log, metrics: Pick<SessionMetrics, 'hole'>) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** Something was reported of the stream that may cost audio. */
  note(cause: HoleCause): void {
    this.#causes.note(cause);
  }

  /** To be called with the aligner whenever audio was taken from it. */
  check(call: Reach & { readonly holeMs: Millis }): void {
    const { holeMs, positionMs } = call;
    if (holeMs === this.#reportedMs) {
      this.#causes.unfounded(call);
      return;
    }
    const cause = this.#causes.blame();
    const fields = { event: 'audio.hole', cause, missingMs: holeMs - this.#reportedMs, callMs: positionMs };
    this.#metrics.hole(cause, fields.missingMs);
    this.#log.warn(fields, 'audio is missing in the stream: there is silence in its place');
    this.#reportedMs = holeMs;
  }
}
