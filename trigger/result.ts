import type { TriggerFailure } from './failure.ts';

/** A session as integratord reports it. */
export type StartedSession = { sessionId: string; status: string };

/** $.External in the contact flow: a flat map of strings, as Connect requires (trigger/README.md). */
export type LambdaResult = {
  lambdaResult: 'success' | 'fail';
  /** integratord's status, or `code: what to do`. */
  reason: string;
  retryable: 'true' | 'false';
  /** Empty without a session. */
  sessionId: string;
};

/** Becomes one space in a reason, which may quote an attribute's name, or Deepgram. */
const CONTROL_OR_SPACE = /[\p{Cc}\s]+/gu;
/** Far below Connect's limit of 32 KB, and readable in a flow's log. */
const MAX_REASON_LENGTH = 1000;

/** The result for a running session. */
export function succeeded({ sessionId, status }: StartedSession): LambdaResult {
  return { lambdaResult: 'success', reason: status, retryable: 'false', sessionId };
}

/** The result for a contact that is not transcribed. */
export function failed({ code, message, retryable }: TriggerFailure): LambdaResult {
  const line = `${code}: ${message}`.replaceAll(CONTROL_OR_SPACE, ' ');
  // Cutting a surrogate pair would leave a string that Connect cannot store.
  const reason = line.slice(0, MAX_REASON_LENGTH).toWellFormed();
  return { lambdaResult: 'fail', reason, retryable: retryable ? 'true' : 'false', sessionId: '' };
}
