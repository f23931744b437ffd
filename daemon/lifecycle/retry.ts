import { errorFields, type Log } from '../log/log.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Clock, Millis } from '../runtime/clock.ts';

/** Most failures pass quickly, and a drained instance should not wait long for them. */
export const FIRST_RETRY_MS: Millis = 250;
/** Keeps the load off a failing service, and still notices soon when it recovers. */
export const LONGEST_RETRY_MS: Millis = 30_000;

/** What a task needs to be retried in the background. */
export interface RetryOptions {
  /** Ends the retries. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly longestRetryMs?: Millis;
}

/**
 * Runs `attempt` until it succeeds, with backoff. Rejects only when the signal aborts.
 * @param what completes "could not ..." in the log
 */
export async function retry<T>(
  what: string,
  attempt: (signal: AbortSignal) => Promise<T>,
  { signal, clock, log, random, longestRetryMs = LONGEST_RETRY_MS }: RetryOptions,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const delayMs = backoffMs(failures, { firstMs: FIRST_RETRY_MS, longestMs: longestRetryMs, random });
      const fields = { event: 'lifecycle.retry', attempt: failures + 1, delayMs, ...errorFields(error) };
      log.warn(fields, `could not ${what}; retrying`);
      await clock.sleep(delayMs, signal);
    }
  }
}

/** Logs a failure of `work` instead of rejecting; a failure after the signal aborted is expected. */
export async function inBackground(work: Promise<unknown>, { signal, log }: RetryOptions): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!signal.aborted) log.error({ event: 'lifecycle.failed', ...errorFields(error) }, 'calls are not affected');
  }
}
