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

export type ClientOptions = {
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

/** Starts a session. Retries while integratord is unavailable or unreachable and time is left, and once more if the
 *  signature was refused and the secret has changed. Throws the last attempt's TriggerFailure. A retry after a broken
 *  connection is safe if it reaches the same instance, which responds with the contact's running session. */
export async function startSession(request: StartRequest, options: ClientOptions): Promise<StartedSession> {
  const { clock, random, log, deadlineMs, secret } = options;
  const body = JSON.stringify(request);
  let signedWith = await secret.get(deadlineMs, log);
  let hasRenewed = false;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptStart(body, signedWith, options);
    if ('session' in outcome) return outcome.session;
    const { failure, retry, retryAfterMs, isOfInstance } = outcome;
    if (signedWith !== undefined && isBadSignature(failure) && !hasRenewed) {
      hasRenewed = true;
      const renewed = await secret.after(signedWith, deadlineMs, log);
      if (renewed === undefined) throw failure;
      log.warn('trigger.secret-changed', { attempt });
      signedWith = renewed;
      continue;
    }
    const leftMs = deadlineMs - clock.now();
    const waitMs = retry ? retryDelayMs(attempt, { retryAfterMs, isOfInstance, leftMs, random }) : undefined;
    if (waitMs === undefined) throw failure;
    log.warn('trigger.attempt-failed', { attempt, code: failure.code, waitMs: Math.round(waitMs) });
    await clock.sleep(waitMs);
  }
}

async function attemptStart(
  body: string,
  signedWith: string | undefined,
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
