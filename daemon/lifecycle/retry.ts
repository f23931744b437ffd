import { setTimeout as sleep } from 'node:timers/promises';
import { errorFields, type Log } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';

/** A passing trouble is over soon: the last call's end must not wait long for it. */
const FIRST_RETRY_MS: Millis = 250;
/** Rare enough to be no burden to a service in trouble, soon enough after it is well again. */
const LONGEST_RETRY_MS: Millis = 30_000;

/** How something is tried again. */
export interface Persistence {
  /** Ends the trying. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly random: () => number;
  readonly longestRetryMs?: Millis;
}

/**
 * Tries until it succeeds, with ever longer pauses; rejects only when the signal ends the trying. The pauses do not keep
 * the process alive.
 * @param what completes "could not ..." in the log
 */
export async function persist<T>(
  what: string,
  attempt: (signal: AbortSignal) => Promise<T>,
  { signal, log, random, longestRetryMs = LONGEST_RETRY_MS }: Persistence,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const delayMs = Math.round(retryDelayMs(failures, random(), longestRetryMs));
      const fields = { event: 'lifecycle.retry', attempt: failures + 1, delayMs, ...errorFields(error) };
      log.warn(fields, `could not ${what}; tries again`);
      await pause(delayMs, signal);
    }
  }
}

/** Waits without keeping the process alive; rejects when the signal is aborted. */
export function pause(ms: Millis, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal, ref: false });
}

/** Doubles from one failure to the next, and lies anywhere in the upper half of that. */
export function retryDelayMs(failures: number, random: number, longestMs: Millis): Millis {
  return Math.min(FIRST_RETRY_MS * 2 ** failures, longestMs) * (0.5 + random / 2);
}

/** Lets it run by itself: what goes wrong is logged, save what its own end brings about. */
export async function inBackground(work: Promise<unknown>, { signal, log }: Persistence): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!signal.aborted) log.error({ event: 'lifecycle.failed', ...errorFields(error) }, 'calls are not affected');
  }
}
