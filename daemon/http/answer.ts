import { AtCapacity } from '../admission/admission.ts';
import { CutOff } from '../admission/reach.ts';
import type { SignatureFault } from '../contract/signing.ts';
import { BadRequest } from '../contract/start-request.ts';
import { DeepgramRefused, DeepgramUnreachable } from '../deepgram/errors.ts';
import { KinesisRefused } from '../kinesis/refusal.ts';
import { BodyCutOff, BodyTooLarge } from '../runtime/bounded-body.ts';
import type { JsonResponse } from '../runtime/json-response.ts';
import { StartTimedOut, ThreadLost } from '../threads/host.ts';

/** The start's signature is missing, wrong or too old. */
export class Unsigned extends Error {
  override readonly name = 'Unsigned';
  readonly reason: SignatureFault;

  constructor(reason: SignatureFault) {
    super(`The signature is not valid: ${reason}. Do the daemon and the trigger have the same TRIGGER_SECRET?`);
    this.reason = reason;
  }
}

/** Room may appear at any moment, and the trigger has only seconds. */
const RETRY_AFTER_S = 1;

/**
 * The response to a failed start: `reason` for programs, `message` for people, `retryable` when the same request may
 * succeed later (daemon/README.md, "What must happen when").
 */
export function refusal(error: unknown): JsonResponse {
  if (error instanceof BadRequest) return failed(400, error.reason, error.message);
  if (error instanceof Unsigned) return failed(401, error.reason, error.message);
  if (error instanceof BodyTooLarge) return failed(413, 'body-too-large', error.message);
  if (error instanceof BodyCutOff) return failed(400, 'body-cut-off', error.message);
  if (error instanceof AtCapacity) return failed(503, error.reason, error.message);
  if (error instanceof CutOff) return failed(503, 'cut-off', error.message);
  if (error instanceof ThreadLost) return failed(503, 'thread-lost', error.message);
  if (error instanceof StartTimedOut) return failed(504, 'start-timeout', error.message);
  if (error instanceof KinesisRefused) {
    const reason = error.lacksCredentials ? 'not-ready' : 'kinesis-refused';
    return failed(error.status, reason, error.message, { awsError: error.awsName });
  }
  if (error instanceof DeepgramUnreachable) return failed(503, 'deepgram-unreachable', error.message);
  if (error instanceof DeepgramRefused) return deepgramRefusal(error);
  return failed(500, 'internal-error', 'Internal error: see the log of integratord');
}

function failed(status: number, reason: string, message: string, details: Record<string, unknown> = {}): JsonResponse {
  const retryable = status >= 503;
  const body = { reason, message, retryable, ...details };
  return status === 503 ? { status, body, headers: { 'retry-after': String(RETRY_AFTER_S) } } : { status, body };
}

function deepgramRefusal(refused: DeepgramRefused): JsonResponse {
  const { status, dgError, requestId, message, retryable, retryAfterMs = 0 } = refused;
  const details = { deepgramStatus: status, dgError, dgRequestId: requestId };
  const words = dgError && !message.includes(dgError) ? `${message}: ${dgError}` : message;
  const response = failed(retryable ? 503 : 502, 'deepgram-refused', words, details);
  const headers: Record<string, string> = { ...response.headers };
  if (retryable) headers['retry-after'] = String(Math.max(RETRY_AFTER_S, Math.ceil(retryAfterMs / 1000)));
  if (dgError) headers['dg-error'] = headerText(dgError);
  if (requestId) headers['dg-request-id'] = headerText(requestId);
  return { ...response, headers };
}

/** Node throws for a header with line breaks or with characters beyond Latin-1, which Deepgram's error body may quote. */
function headerText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
