import type { Millis } from './clock.ts';

/** How long to wait between attempts. */
export interface BackoffOptions {
  readonly firstMs: Millis;
  readonly longestMs: Millis;
  /** In [0, 1): callers that failed together must not come back together. */
  readonly random: () => number;
}

/** The delay before retry number `retry` (from 0): doubles each time, with jitter over the upper half. */
export function backoffMs(retry: number, { firstMs, longestMs, random }: BackoffOptions): Millis {
  const fullMs = Math.min(firstMs * 2 ** retry, longestMs);
  return Math.round(fullMs * (0.5 + random() / 2));
}
