import type { Clock, Millis } from '../daemon/runtime/clock.ts';
import { SecretRefused } from '../daemon/secrets/secret-refused.ts';
import { readSecret } from '../daemon/secrets/secrets-manager.ts';
import { TriggerFailure } from './failure.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/** A value is looked up again when it is older: a changed one counts soon even where nothing is refused. */
const MAX_AGE_MS: Millis = 5 * 60_000;
/** After a look that failed the old value counts for so long: starts must not wait for Secrets Manager one by one. */
const AGAIN_AFTER_FAULT_MS: Millis = 30_000;
/** Loading the SDK, a TLS handshake and one lost packet; what is left of the budget is for the start itself. */
const LOOK_MS: Millis = 2500;

/** What requests are signed with. */
export type SigningSecret = {
  /** The secret, looked up within the time until `deadlineMs` when that is due; undefined: requests go unsigned.
   *  Throws a TriggerFailure when there is none to be had. */
  get: (deadlineMs: Millis, log: Log) => Promise<string | undefined>;
  /** The secret after the integrator refused what `refused` signed; undefined when there is no other. */
  after: (refused: string, deadlineMs: Millis, log: Log) => Promise<string | undefined>;
};

/** The secret that the settings have or name. It is kept for as long as the function stays warm. */
export function signingSecret({ triggerSecret, triggerSecretArn: arn }: SecretSettings, clock: Clock): SigningSecret {
  if (arn === undefined) return { get: async () => triggerSecret, after: async () => undefined };

  // Lambda may stop the monotonic clock between invocations; the time of day goes on.
  let known: { value: string; lookAgainAtEpochMs: Millis } | undefined;

  const look = async (deadlineMs: Millis): Promise<string> => {
    const timeoutMs = Math.max(1, Math.floor(Math.min(LOOK_MS, deadlineMs - clock.now())));
    const { value } = await readSecret(arn, 'AWSCURRENT', timeoutMs, clock);
    known = { value, lookAgainAtEpochMs: clock.epoch() + MAX_AGE_MS };
    return value;
  };

  /** Looks again where the value that is known will do if that fails. */
  const lookAgain = async (value: string, deadlineMs: Millis, log: Log): Promise<string> => {
    try {
      return await look(deadlineMs);
    } catch (error) {
      const { code, message } = failureOf(error);
      log.warn('trigger.secret-unread', { code, msg: message });
      known = { value, lookAgainAtEpochMs: clock.epoch() + AGAIN_AFTER_FAULT_MS };
      return value;
    }
  };

  return {
    async get(deadlineMs, log) {
      if (known && clock.epoch() < known.lookAgainAtEpochMs) return known.value;
      if (known) return lookAgain(known.value, deadlineMs, log);
      return look(deadlineMs).catch((error: unknown) => {
        throw failureOf(error);
      });
    },
    async after(refused, deadlineMs, log) {
      const value = await lookAgain(refused, deadlineMs, log);
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
