import type { TriggerFailure } from './failure.ts';

/** A session as the integrator reports it. */
export type StartedSession = { sessionId: string; status: string };

/** What the contact flow sees as $.External: Connect takes a flat map of strings only (daemon/kinesis/README.md). */
export type LambdaResult = {
  lambdaResult: 'success' | 'fail';
  /** The integrator's status, or `code: what to do`. */
  reason: string;
  retryable: 'true' | 'false';
  /** Empty when there is no session. */
  sessionId: string;
};

/** Far below the 32 KB that Connect takes, and still readable in a flow's log. */
const MAX_REASON_LENGTH = 1000;

/** The answer for a session that is running. */
export function succeeded({ sessionId, status }: StartedSession): LambdaResult {
  return { lambdaResult: 'success', reason: status, retryable: 'false', sessionId };
}

/** The answer for a contact that is not being transcribed. */
export function failed({ code, message, retryable }: TriggerFailure): LambdaResult {
  // The cut may fall inside a surrogate pair, which is not a string that Connect can store.
  const reason = `${code}: ${message}`.slice(0, MAX_REASON_LENGTH).toWellFormed();
  return { lambdaResult: 'fail', reason, retryable: retryable ? 'true' : 'false', sessionId: '' };
}
