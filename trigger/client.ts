import { signatureHeaders, TIMEOUT_HEADER } from '../daemon/contract/signing.ts';
import type { StartRequest } from '../daemon/contract/start-request.ts';
import { TRACEPARENT_HEADER } from '../daemon/contract/traceparent.ts';
import type { Clock, Millis } from '../daemon/runtime/clock.ts';
import { IntegratorRefusal, type TriggerFailure } from './failure.ts';
import type { Log } from './log.ts';
import { post } from './post.ts';
import type { StartedSession } from './result.ts';
import { RETRY_POLICY, retryDelayMs } from './retry-policy.ts';
import type { Settings } from './settings.ts';
import type { SigningSecret } from './signing-secret.ts';
import { judgeAnswer, judgeError, type Verdict } from './verdict.ts';

export type ClientOptions = {
  settings: Settings;
  secret: SigningSecret;
  clock: Clock;
  random: () => number;
  log: Log;
  /** On the clock's monotonic time: by then the call has returned or thrown. */
  deadlineMs: Millis;
  /** The trace that the daemon's log is to carry, the same at every attempt. */
  traceparent: string;
};

/** Asks the integrator for a session, again while it is unavailable or out of reach and there is time;
 *  throws the last attempt's TriggerFailure. When a signature is refused and the secret has been changed, it is made
 *  anew, once. Asking again after a connection broke is safe as far as the same instance is asked: it answers with the
 *  session that the contact already has. */
export async function startSession(request: StartRequest, options: ClientOptions): Promise<StartedSession> {
  const { clock, random, log, deadlineMs, secret } = options;
  const body = JSON.stringify(request);
  let signedWith = await secret.get(deadlineMs, log);
  let hasRenewed = false;
  for (let attempt = 1; ; attempt += 1) {
    const verdict = await attemptStart(body, signedWith, options);
    if ('session' in verdict) return verdict.session;
    const { failure, again, retryAfterMs } = verdict;
    if (signedWith !== undefined && isBadSignature(failure) && !hasRenewed) {
      hasRenewed = true;
      const renewed = await secret.after(signedWith, deadlineMs, log);
      if (renewed === undefined) throw failure;
      log.warn('trigger.secret-changed', { attempt });
      signedWith = renewed;
      continue;
    }
    const leftMs = deadlineMs - clock.now();
    const waitMs = again ? retryDelayMs(attempt, { retryAfterMs, leftMs, random }) : undefined;
    if (waitMs === undefined) throw failure;
    log.warn('trigger.attempt-failed', { attempt, code: failure.code, waitMs: Math.round(waitMs) });
    await clock.sleep(waitMs);
  }
}

async function attemptStart(
  body: string,
  signedWith: string | undefined,
  { settings: { startSessionUrl: url }, clock, deadlineMs, traceparent }: ClientOptions,
): Promise<Verdict> {
  const headers = () => ({
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    [TRACEPARENT_HEADER]: traceparent,
    // The integrator gives up first, so a session that it did start is not reported as failed.
    [TIMEOUT_HEADER]: String(Math.max(1, Math.floor(deadlineMs - clock.now() - RETRY_POLICY.responseMarginMs))),
    ...(signedWith === undefined ? {} : signatureHeaders(signedWith, body, clock.epoch())),
  });
  try {
    const answer = await post(url, { body, headers, clock, connectMs: RETRY_POLICY.connectMs, deadlineMs });
    return judgeAnswer(answer, url.origin);
  } catch (error) {
    return judgeError(error, url.origin);
  }
}

/** The integrator's code for a signature made with another secret (README.md). */
function isBadSignature(failure: TriggerFailure): boolean {
  return failure instanceof IntegratorRefusal && failure.code === 'bad-signature';
}
