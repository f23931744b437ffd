import type { DrainSource } from '../contract/control-api.ts';
import type { Millis } from '../runtime/clock.ts';

/** Why to drain, and by when. */
export interface DrainOrder {
  readonly source: DrainSource;
  readonly reason: string;
  /** Remaining sessions are ended then; undefined for no deadline. */
  readonly deadlineAtEpochMs: Millis | undefined;
}

/** What survives a crash: a restarted daemon drains until the original deadline. */
export interface DrainRecord {
  readonly sinceEpochMs: Millis;
  readonly orders: readonly DrainOrder[];
}

/** An operator's order to accept no new sessions. */
export interface Cordon {
  readonly sinceEpochMs: Millis;
  readonly reason: string;
}

/** Keeps orders for the next process. Both methods resolve when that is done, or has failed; they never reject. */
export interface OrderStore<Order> {
  save(order: Order): Promise<void>;
  clear(): Promise<void>;
}
