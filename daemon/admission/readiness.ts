import { errorFields, type Log } from '../log/log.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Admission } from './admission.ts';

/** Credentials are cached until they are about to expire, so a check rarely costs a request. */
const CHECK_EVERY_MS: Millis = 10_000;
const FIRST_RETRY_MS: Millis = 1000;
/** The start and a check wait no longer than this; credentials of an instance's role arrive within milliseconds. */
const TIMEOUT_MS: Millis = 5000;

interface ReadinessOptions {
  /** Rejects when this daemon cannot sign requests to AWS: no session can start then. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  readonly admission: Pick<Admission, 'notReady' | 'setNotReady'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
}

/**
 * Fails the health check while this daemon has no AWS credentials, and recovers by itself. Resolves after the first
 * check; never rejects.
 */
export async function watchReadiness(options: ReadinessOptions): Promise<void> {
  const { admission, clock, log, random = Math.random } = options;
  let failures = 0;
  const again = () => {
    const backoff = { firstMs: FIRST_RETRY_MS, longestMs: CHECK_EVERY_MS, random };
    const cancel = clock.every(failures > 0 ? backoffMs(failures - 1, backoff) : CHECK_EVERY_MS, () => {
      cancel();
      void checkOnce();
    });
  };
  const checkOnce = async () => {
    const error = await failureOf(options);
    if (error && failures === 0) {
      const message = 'no AWS credentials: the health check fails until there are some';
      log.error({ event: 'daemon.not-ready', ...errorFields(error) }, message);
    }
    if (!error && failures > 0) log.info({ event: 'daemon.ready-again', failures }, 'AWS credentials work again');
    failures = error ? failures + 1 : 0;
    admission.setNotReady(error?.message);
    again();
  };
  await checkOnce();
}

async function failureOf({ check, clock }: ReadinessOptions): Promise<Error | undefined> {
  try {
    await check(clock.timeout(TIMEOUT_MS));
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
