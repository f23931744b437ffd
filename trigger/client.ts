import { signatureHeaders, TIMEOUT_HEADER } from '../daemon/contract/signing.ts';
import type { StartRequest } from '../daemon/contract/start-request.ts';
import { TRACEPARENT_HEADER } from '../daemon/contract/traceparent.ts';
import type { Clock, Millis } from '../daemon/runtime/clock.ts';
import { IntegratorRefusal, type TriggerFailure } from './failure.ts';
import type { Log } from './log.ts';
import { type Outcome, outcomeOfError, outcomeOfResponse } from './outcome.ts';
import { post } from './post.ts';
import type { StartedSession } from './result.ts';
import { RETRY_POLICY, retryDelayMs } from './retry-policy.ts';
import type { Settings } from './settings.ts';
import type { SigningSecret } from './signing-secret.ts';

type ClientOptions = {
  settings: Settings;
  secret: SigningSecret;
  clock: Clock;
  random: () => number;
  log: Log;
  /** Monotonic: startSession returns or throws before it. */
  deadlineMs: Millis;
  /** The trace for the daemon's log, the same in every attempt. */
  traceparent: string;
};

/** What differs between attempts. */
type Sent = { body: string; signedWith: string | undefined };

/** Starts a session. Retries while integratord is unavailable or unreachable and time is left; once more if the signature
 *  was refused and the secret has changed; and once more without the fields that others lack if the body was refused.
 *  Throws the last attempt's TriggerFailure. A retry after a broken connection is safe if it reaches the same instance,
 *  which responds with the running session. */
export async function startSession(request: StartRequest, options: ClientOptions): Promise<StartedSession> {
  const { clock, random, log, deadlineMs, secret } = options;
  const corrected = correctionsOf(request, options);
  let sent: Sent = { body: JSON.stringify(request), signedWith: await secret.get(deadlineMs, log) };
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptStart(sent, options);
    if ('session' in outcome) return outcome.session;
    const { failure, retry, retryAfterMs, isOfInstance } = outcome;
    const next = await corrected(failure, sent, attempt);
    if (next) {
      sent = next;
      continue;
    }
    const leftMs = deadlineMs - clock.now();
    const waitMs = retry ? retryDelayMs(attempt, { retryAfterMs, isOfInstance, leftMs, random }) : undefined;
    if (waitMs === undefined) throw failure;
    log.warn('trigger.attempt-failed', { attempt, code: failure.code, waitMs: Math.round(waitMs) });
    await clock.sleep(waitMs);
  }
}

/** Corrects the cause of a failure, each one once; undefined if there is nothing to correct. */
function correctionsOf(request: StartRequest, { secret, log, deadlineMs }: ClientOptions) {
  let hasRenewed = false;
  let isReduced = false;
  return async (failure: TriggerFailure, { body, signedWith }: Sent, attempt: number): Promise<Sent | undefined> => {
    if (isBadSignature(failure) && signedWith !== undefined && !hasRenewed) {
      hasRenewed = true;
      const renewed = await secret.after(signedWith, deadlineMs, log);
      if (renewed === undefined) return undefined;
      log.warn('trigger.secret-changed', { attempt });
      return { body, signedWith: renewed };
    }
    if (isUnknownField(failure) && !isReduced) {
      isReduced = true;
      log.warn('trigger.fields-refused', { attempt });
      return { body: JSON.stringify(originalFields(request)), signedWith };
    }
    return undefined;
  };
}

async function attemptStart(
  { body, signedWith }: Sent,
  { settings: { startSessionUrl: url }, clock, deadlineMs, traceparent }: ClientOptions,
): Promise<Outcome> {
  const headers = () => ({
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    [TRACEPARENT_HEADER]: traceparent,
    // integratord gives up first, so that a started session is never reported as failed.
    [TIMEOUT_HEADER]: String(Math.max(1, Math.floor(deadlineMs - clock.now() - RETRY_POLICY.responseMarginMs))),
    ...(signedWith === undefined ? {} : signatureHeaders(signedWith, body, clock.epoch())),
  });
  try {
    const response = await post(url, { body, headers, clock, connectMs: RETRY_POLICY.connectMs, deadlineMs });
    return outcomeOfResponse(response, url.origin);
  } catch (error) {
    return outcomeOfError(error, url.origin);
  }
}

/** integratord's code for a signature made with another secret (README.md). */
function isBadSignature(failure: TriggerFailure): boolean {
  return failure instanceof IntegratorRefusal && failure.code === 'bad-signature';
}

/** True if the body was refused, perhaps for a field that an older daemon, or the original, does not know. */
function isUnknownField({ code }: TriggerFailure): boolean {
  return code === 'bad-request' || code === 'integrator-http-400';
}

/** Only the original's fields, which every daemon accepts; and where the results go, because a call must not go elsewhere. */
function originalFields({ contactId, kvsStream, dgParams, enforceRealtime, results }: StartRequest): StartRequest {
  const { arn, startFragmentNumber } = kvsStream;
  return { contactId, kvsStream: { arn, startFragmentNumber }, dgParams, enforceRealtime, ...(results && { results }) };
}
