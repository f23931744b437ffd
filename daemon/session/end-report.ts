import type { SessionView } from '../contract/control-api.ts';
import { errorFields, type Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import type { Outcome } from './outcome.ts';

export interface EndOfSession {
  readonly outcome: Outcome;
  readonly view: SessionView;
  /** Audio that was read but not sent. */
  readonly unsentMs: Millis;
  /** Audio that was sent and that Deepgram did not process before the line was closed. */
  readonly unfinishedMs: Millis;
}

/** Logs and counts how a session ended. Audio that was not sent is a gap, as is unfinished audio, which the link counts. */
export function reportEnd(
  { outcome, view, unsentMs, unfinishedMs }: EndOfSession,
  log: Log,
  metrics: Pick<SessionMetrics, 'gap' | 'sessionCompleted' | 'sessionFailed'>,
): void {
  const { audioMs, worstLagMs, gapMs, repeatedMs, reconnects, replayedMs, worstBufferBytes, deepgramRequestIds } = view;
  const audio = { audioMs, worstLagMs, gapMs, repeatedMs };
  const totals = { ...audio, reconnects, replayedMs, worstBufferBytes, deepgramRequestIds };
  const fields = { event: 'session.ended', outcome: outcome.name, ...totals, unsentMs, unfinishedMs };
  metrics.gap('unsent', unsentMs);
  if (outcome.name === 'completed') {
    metrics.sessionCompleted(outcome.reason);
    log.info({ ...fields, reason: outcome.reason }, 'the session has ended');
  } else {
    metrics.sessionFailed(outcome.error);
    const message = 'the session failed: the rest of the call is not transcribed';
    log.error({ ...fields, ...errorFields(outcome.error) }, message);
  }
}
