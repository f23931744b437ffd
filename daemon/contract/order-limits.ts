import type { Millis } from '../runtime/clock.ts';

/** What the daemon accepts in an operator's orders, and integratorctl sends. */
export const ORDER_LIMITS = {
  /** The longest that DRAIN_DEADLINE_MS may be; a longer one is a slip of the keyboard. */
  drainDeadlineMs: 172_800_000 as Millis,
  /** A level that is ordered for longer than a day is meant to stay: that is LOG_LEVEL's job. */
  logLevelMs: 86_400_000 as Millis,
  reasonCharacters: 500,
} as const;
