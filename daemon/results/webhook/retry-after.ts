import type { Millis } from '../../runtime/clock.ts';

/** What a consumer may ask for at most; the give-up time of the events comes first. */
const LONGEST_MS: Millis = 24 * 3_600_000;

/** How long a Retry-After header asks to wait (RFC 9110, 10.2.3): seconds or a date; undefined if it is neither. */
export function retryAfterMs(header: string | undefined, nowEpochMs: Millis): Millis | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowEpochMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), LONGEST_MS);
}
