import type { Millis } from '../daemon/runtime/clock.ts';
import { IntegratorRefusal, TriggerFailure } from './failure.ts';
import { textAt, valueAt } from './json.ts';
import { ConnectTimeout, type HttpResponse, ResponseTimeout } from './post.ts';
import type { StartedSession } from './result.ts';

/** The outcome of one attempt. */
export type Outcome =
  | { session: StartedSession }
  | {
      failure: TriggerFailure;
      /** True if another attempt within the same invocation makes sense. */
      retry: boolean;
      /** The delay that integratord asks for; 0 if it does not. */
      retryAfterMs: Millis;
      /** True if another instance may accept the start: the load balancer may pick it for the next attempt. */
      isOfInstance: boolean;
    };

const OK = 200;
const TOO_MANY_REQUESTS = 429;
const SERVER_ERROR = 500;
/** Full, cordoned or draining, or Deepgram or Kinesis is in trouble; from a load balancer: no healthy instance. */
const UNAVAILABLE = 503;
/** Load balancers send these for an instance that exits or does not respond: they do not try another instance. */
const OF_BALANCER: ReadonlySet<number> = new Set([502, 504]);
/** Reasons that every instance would give. */
const OF_EVERY_INSTANCE: ReadonlySet<string> = new Set(['deepgram-refused', 'deepgram-unreachable', 'kinesis-refused']);

/** A session id or a status: short, because a flow's result is limited to 32 KB, and without odd characters. */
const WORD = /^[\w.:-]{1,256}$/;
/** A reason's code, AWS error names included: too short for a URL or an address. */
const CODE = /^[A-Za-z][\w.-]{0,63}$/;

/** Transient network errors: an instance exits, the load balancer's address changes, the resolver is busy or does not
 *  know a new name yet. */
const TRANSIENT = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** The outcome of a response from `origin`. */
export function outcomeOfResponse({ status, retryAfter, body }: HttpResponse, origin: string): Outcome {
  const json = parsed(body);
  if (status === OK) return outcomeOfSuccess(json, origin);
  const refused = refusal(json);
  const failure = refused ?? unexplained(status, origin);
  const retryAfterS = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : 0;
  // A 503 that says it is final (`retryable: false`) is final.
  const retry = failure.retryable && (status === UNAVAILABLE || (!refused && OF_BALANCER.has(status)));
  return { failure, retry, retryAfterMs: retryAfterS * 1000, isOfInstance: !OF_EVERY_INSTANCE.has(failure.code) };
}

/** The outcome of an attempt without a response from `origin`. */
export function outcomeOfError(error: unknown, origin: string): Outcome {
  const cause = { cause: error };
  if (error instanceof ResponseTimeout) {
    const message =
      `${origin} accepted the request and did not respond in time: look for this contact in integratord's log, ` +
      'and check whether Kinesis and Deepgram respond to it.';
    return final(new TriggerFailure('integrator-timeout', message, { retryable: true, ...cause }));
  }
  const code = error instanceof ConnectTimeout ? 'no connection' : networkCode(error);
  if (code.startsWith('HPE_')) return final(badResponse(origin, 'is not HTTP', cause));
  const retry = error instanceof ConnectTimeout || TRANSIENT.has(code);
  const message =
    `${origin} is unreachable (${code}): check KVS_DG_INTEGRATOR_DOMAIN, that the load balancer has a healthy ` +
    "instance, and that the security groups allow the trigger's subnets.";
  const failure = new TriggerFailure('integrator-unreachable', message, { retryable: retry, ...cause });
  return { failure, retry, retryAfterMs: 0, isOfInstance: true };
}

function outcomeOfSuccess(json: unknown, origin: string): Outcome {
  const sessionId = textAt(json, 'sessionId');
  const status = textAt(json, 'status');
  if (sessionId !== undefined && status !== undefined && WORD.test(sessionId) && WORD.test(status)) {
    return { session: { sessionId, status } };
  }
  return final(badResponse(origin, 'does not name a session'));
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
    : 'check that KVS_DG_INTEGRATOR_DOMAIN points to integratord, with https:// if it needs that.';
  return new TriggerFailure(
    `integrator-http-${status}`,
    `${origin} responded with HTTP ${status} and no reason of integratord's: ${hint}`,
    { retryable },
  );
}

function badResponse(origin: string, fault: string, options: ErrorOptions = {}): TriggerFailure {
  const message = `The response of ${origin} ${fault}: check that KVS_DG_INTEGRATOR_DOMAIN points to integratord.`;
  return new TriggerFailure('integrator-bad-answer', message, options);
}

function final(failure: TriggerFailure): Outcome {
  return { failure, retry: false, retryAfterMs: 0, isOfInstance: false };
}

function parsed(body: string | undefined): unknown {
  if (body === undefined) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    // As with JSON of another shape, only the HTTP status counts.
    return undefined;
  }
}

function networkCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
