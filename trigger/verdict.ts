import type { Millis } from '../daemon/runtime/clock.ts';
import { IntegratorRefusal, TriggerFailure } from './failure.ts';
import { textAt, valueAt } from './json.ts';
import { AnswerTimeout, ConnectTimeout, type HttpAnswer } from './post.ts';
import type { StartedSession } from './result.ts';

/** What one attempt came to. */
export type Verdict =
  | { session: StartedSession }
  | {
      failure: TriggerFailure;
      /** Whether another attempt within the same invocation makes sense. */
      again: boolean;
      /** How long the integrator asks us to wait before it; 0 when it does not. */
      retryAfterMs: Millis;
    };

const OK = 200;
const TOO_MANY_REQUESTS = 429;
const SERVER_ERROR = 500;
/** Full or draining: the load balancer may pick another instance next time. */
const UNAVAILABLE = 503;

/** A session id is a short word; a flow's answer has room for no more than 32 KB. */
const MAX_WORD_LENGTH = 256;
/** What a reason's code looks like, AWS' error names included: short, and no room for a URL or an address. */
const CODE = /^[A-Za-z][\w.-]{0,63}$/;

/** Network errors that pass: the instance goes, the load balancer's address changes, the resolver is busy. */
const TRANSIENT = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Judges what was answered from `origin`. */
export function judgeAnswer({ status, retryAfter, body }: HttpAnswer, origin: string): Verdict {
  const json = parsed(body);
  if (status === OK) return judgeSuccess(json, origin);
  const failure = refusal(json) ?? unexplained(status, origin);
  const asked = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : 0;
  // An instance that says 503 and that it will stay so (`retryable: false`) is taken at its word.
  return { failure, again: status === UNAVAILABLE && failure.retryable, retryAfterMs: asked * 1000 };
}

/** Judges why there was no answer from `origin`. */
export function judgeError(error: unknown, origin: string): Verdict {
  const cause = { cause: error };
  if (error instanceof AnswerTimeout) {
    const message =
      `${origin} took the request and did not answer in time: look for this contact in the integrator's log, ` +
      'and whether Kinesis and Deepgram answer it.';
    return final(new TriggerFailure('integrator-timeout', message, { retryable: true, ...cause }));
  }
  const code = error instanceof ConnectTimeout ? 'no answer' : networkCode(error);
  if (code.startsWith('HPE_')) return final(badAnswer(origin, 'is not HTTP', cause));
  const again = error instanceof ConnectTimeout || TRANSIENT.has(code);
  const message =
    `${origin} cannot be reached (${code}): check KVS_DG_INTEGRATOR_DOMAIN, that the load balancer has a healthy ` +
    "instance, and that the security groups let the trigger's subnets in.";
  const failure = new TriggerFailure('integrator-unreachable', message, { retryable: again, ...cause });
  return { failure, again, retryAfterMs: 0 };
}

function judgeSuccess(json: unknown, origin: string): Verdict {
  const sessionId = textAt(json, 'sessionId');
  const status = textAt(json, 'status');
  if (sessionId !== undefined && status !== undefined && Math.max(sessionId.length, status.length) <= MAX_WORD_LENGTH) {
    return { session: { sessionId, status } };
  }
  return final(badAnswer(origin, 'names no session'));
}

function refusal(json: unknown): TriggerFailure | undefined {
  const code = textAt(json, 'reason');
  const message = textAt(json, 'message');
  const retryable = valueAt(json, 'retryable');
  if (code === undefined || message === undefined || typeof retryable !== 'boolean') return undefined;
  return CODE.test(code) ? new IntegratorRefusal(code, message, { retryable }) : undefined;
}

function unexplained(status: number, origin: string): TriggerFailure {
  const retryable = status >= SERVER_ERROR || status === TOO_MANY_REQUESTS;
  const hint = retryable
    ? 'check that the load balancer has a healthy instance.'
    : 'check that KVS_DG_INTEGRATOR_DOMAIN names the integrator, with https:// if it wants that.';
  return new TriggerFailure(
    `integrator-http-${status}`,
    `${origin} answered HTTP ${status} and no reason of the integrator's: ${hint}`,
    { retryable },
  );
}

function badAnswer(origin: string, fault: string, options: ErrorOptions = {}): TriggerFailure {
  const message = `What ${origin} answered ${fault}: check that KVS_DG_INTEGRATOR_DOMAIN names the integrator.`;
  return new TriggerFailure('integrator-bad-answer', message, options);
}

function final(failure: TriggerFailure): Verdict {
  return { failure, again: false, retryAfterMs: 0 };
}

function parsed(body: string | undefined): unknown {
  if (body === undefined) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    // Not JSON is judged like JSON of another shape: by the HTTP status alone.
    return undefined;
  }
}

function networkCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
