import type { GapCause } from '../contract/gap-causes.ts';
import type { Log } from '../log/log.ts';
import type { SessionMetrics, Trouble } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import { GapCauseTracker, type Reach } from './gap-cause.ts';

/** A gap, in ms of the call. */
interface FoundGap {
  readonly cause: Trouble;
  readonly startMs: Millis;
  readonly endMs: Millis;
}

/** Logs and counts gaps as they show, each with its cause. */
export class GapReporter {
  readonly #log: Log;
  readonly #metrics: Pick<SessionMetrics, 'gap' | 'notStreamedMs'>;
  readonly #causes = new GapCauseTracker();
  #reportedMs: Millis = 0;
  /** Of what was reported: time that the flow did not stream, which is not missing. */
  #notStreamedMs: Millis = 0;
  /** Audio that is missing outside of the call's audio, before its beginning or after its end. */
  #outsideMs: Millis = 0;
  readonly #onGap: ((gap: FoundGap) => void) | undefined;
  /** Position of the gap to be reported next. */
  #spanMs: [from: Millis, to: Millis] | undefined;
  #spannedMs: Millis = 0;
  #positionMs: Millis = 0;

  /** @param onGap takes each gap with its place in the call; it needs a call of `took` for every piece */
  constructor(log: Log, metrics: Pick<SessionMetrics, 'gap' | 'notStreamedMs'>, onGap?: (gap: FoundGap) => void) {
    this.#log = log;
    this.#metrics = metrics;
    this.#onGap = onGap;
  }

  /** Tells where gaps are: call this with the aligner after each piece of `pieceMs` that was taken from it. */
  took({ gapMs, positionMs }: { readonly gapMs: Millis; readonly positionMs: Millis }, pieceMs: Millis): void {
    const missingMs = gapMs - this.#spannedMs;
    if (missingMs === 0) return;
    this.#spannedMs = gapMs;
    // A piece's gap is at its end where the gap begins, and at its beginning where it ends.
    if (this.#spanMs) this.#spanMs[1] = positionMs - pieceMs + missingMs;
    else this.#spanMs = [positionMs - missingMs, positionMs];
  }

  /** Reports trouble that may cost audio. */
  note(cause: Trouble): void {
    this.#causes.note(cause);
  }

  /** All gaps of a call, with `gapMs` of its aligner. */
  totalMs(gapMs: Millis): Millis {
    return gapMs - this.#notStreamedMs + this.#outsideMs;
  }

  /** Reports audio that is missing where no later audio shows it. */
  lost(cause: GapCause, missingMs: Millis): void {
    this.#outsideMs += missingMs;
    this.#metrics.gap(cause, missingMs);
    this.#log.warn({ event: 'audio.gap', cause, missingMs }, 'audio of the call is missing');
    const fromMs = cause === 'missed-at-start' ? 0 : this.#positionMs;
    this.#onGap?.({ cause, startMs: fromMs, endMs: cause === 'missed-at-start' ? 0 : fromMs + missingMs });
  }

  /** Call this with the aligner after taking audio from it. */
  check(call: Reach & { readonly gapMs: Millis }): void {
    const { gapMs, positionMs } = call;
    this.#positionMs = positionMs;
    if (gapMs === this.#reportedMs) {
      this.#causes.unfounded(call);
      return;
    }
    const cause = this.#causes.blame();
    const missingMs = gapMs - this.#reportedMs;
    this.#reportedMs = gapMs;
    const [startMs, endMs] = this.#spanMs ?? [positionMs - missingMs, positionMs];
    this.#spanMs = undefined;
    this.#onGap?.({ cause, startMs, endMs });
    if (cause === 'not-streamed') {
      this.#notStreamedMs += missingMs;
      this.#metrics.notStreamedMs += missingMs;
      const fields = { event: 'audio.not-streamed', pauseMs: missingMs, callMs: positionMs };
      this.#log.info(fields, 'the contact flow did not stream for a while: replaced by silence');
      return;
    }
    this.#metrics.gap(cause, missingMs);
    const fields = { event: 'audio.gap', cause, missingMs, callMs: positionMs };
    this.#log.warn(fields, 'audio is missing from the stream: replaced by silence');
  }
}
