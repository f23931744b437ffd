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
}

/** Logs and counts how a session ended. The unsent audio of a failed session is a gap. */
export function reportEnd(
  { outcome, view, unsentMs }: EndOfSession,
  log: Log,
  metrics: Pick<SessionMetrics, 'hole' | 'sessionCompleted' | 'sessionFailed'>,
): void {
  const { audioMs, worstLagMs, holeMs, reconnects, replayedMs, worstBufferBytes, deepgramRequestIds } = view;
  const totals = { audioMs, worstLagMs, holeMs, reconnects, replayedMs, worstBufferBytes, deepgramRequestIds };
  const fields = { event: 'session.ended', outcome: outcome.name, ...totals };
  if (outcome.name === 'completed') {
    metrics.sessionCompleted(outcome.reason);
    log.info({ ...fields, reason: outcome.reason }, 'the session has ended');
  } else {
    metrics.hole('unsent', unsentMs);
    metrics.sessionFailed(outcome.error);
    const message = 'the session failed: the rest of the call is not transcribed';
    log.error({ ...fields, unsentMs, ...errorFields(outcome.error) }, message);
  }
}
