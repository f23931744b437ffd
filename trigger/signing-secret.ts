import type { Clock, Millis } from '../daemon/runtime/clock.ts';
import { SecretRefused } from '../daemon/secrets/secret-refused.ts';
import { readSecret } from '../daemon/secrets/secrets-manager.ts';
import { TriggerFailure } from './failure.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/** Refreshes an older value: a changed secret is used soon even if no signature was refused. */
const MAX_AGE_MS: Millis = 5 * 60_000;
/** After a failed refresh the old value stays in use for this long: not every start must wait for Secrets Manager. */
const RETRY_AFTER_FAILURE_MS: Millis = 30_000;
/** Enough to load the SDK, for a TLS handshake and one lost packet; the rest of the budget is for the start itself. */
const READ_TIMEOUT_MS: Millis = 2500;

/** The key of the signatures. */
export type SigningSecret = {
  /** The secret, refreshed before `deadlineMs` if it is due; undefined for unsigned requests. Throws a TriggerFailure if
   *  no value is available. */
  get: (deadlineMs: Millis, log: Log) => Promise<string | undefined>;
  /** A newer secret than `refused`, whose signature was refused; undefined if there is none. */
  after: (refused: string, deadlineMs: Millis, log: Log) => Promise<string | undefined>;
};

/** The secret in the settings, or in Secrets Manager; cached while the function is warm. */
export function signingSecret({ triggerSecret, triggerSecretArn: arn }: SecretSettings, clock: Clock): SigningSecret {
  if (arn === undefined) return { get: async () => triggerSecret, after: async () => undefined };

  // Lambda may stop the monotonic clock between invocations, but not the time of day.
  let cached: { value: string; refreshAtEpochMs: Millis } | undefined;

  const read = async (deadlineMs: Millis): Promise<string> => {
    const timeoutMs = Math.max(1, Math.floor(Math.min(READ_TIMEOUT_MS, deadlineMs - clock.now())));
    const { value } = await readSecret(arn, 'AWSCURRENT', timeoutMs, clock);
    cached = { value, refreshAtEpochMs: clock.epoch() + MAX_AGE_MS };
    return value;
  };

  /** Reads the secret, or keeps the cached value if that fails. */
  const refresh = async (value: string, deadlineMs: Millis, log: Log): Promise<string> => {
    try {
      return await read(deadlineMs);
    } catch (error) {
      const { code, message } = failureOf(error);
      log.warn('trigger.secret-unread', { code, msg: message });
      cached = { value, refreshAtEpochMs: clock.epoch() + RETRY_AFTER_FAILURE_MS };
      return value;
    }
  };

  return {
    async get(deadlineMs, log) {
      if (cached && clock.epoch() < cached.refreshAtEpochMs) return cached.value;
      if (cached) return refresh(cached.value, deadlineMs, log);
      return read(deadlineMs).catch((error: unknown) => {
        throw failureOf(error);
      });
    },
    async after(refused, deadlineMs, log) {
      const value = await refresh(refused, deadlineMs, log);
      return value === refused ? undefined : value;
    },
  };
}

type SecretSettings = Pick<Settings, 'triggerSecret' | 'triggerSecretArn'>;

function failureOf(error: unknown): TriggerFailure {
  if (!(error instanceof SecretRefused)) throw error;
  const { fault, message, retryable } = error;
  return new TriggerFailure(fault, `TRIGGER_SECRET_ARN: ${message}`, { retryable, cause: error });
}
