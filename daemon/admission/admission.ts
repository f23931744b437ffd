import type { Clock, Millis } from '../runtime/clock.ts';
import type { Drain } from './drain.ts';

/** Why a start is refused. */
export type RefusalReason = 'full' | 'cordoned' | 'draining';

/** An operator's order to accept no new sessions. */
export interface Cordon {
  readonly sinceEpochMs: Millis;
  readonly reason: string;
}

/** A start was refused; another instance, or a later retry, may accept it. */
export class AtCapacity extends Error {
  override readonly name = 'AtCapacity';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(`This instance is ${reason} and accepts no new sessions`);
    this.reason = reason;
  }
}

/** Decides whether to accept a new session: not at capacity, not while cordoned, not after a drain's health lag. */
export class Admission {
  readonly maxSessions: number;
  readonly drain: Drain;
  readonly #clock: Clock;
  #cordon: Cordon | undefined;

  constructor(maxSessions: number, drain: Drain, clock: Clock) {
    this.maxSessions = maxSessions;
    this.drain = drain;
    this.#clock = clock;
  }

  /** Undefined while not cordoned. */
  get currentCordon(): Cordon | undefined {
    return this.#cordon;
  }

  /** Accepts no new sessions until `uncordon`; running ones continue. */
  cordon(reason: string): void {
    this.#cordon ??= { sinceEpochMs: this.#clock.epoch(), reason };
  }

  uncordon(): void {
    this.#cordon = undefined;
  }

  /** Reason for failing the health check; undefined while healthy. */
  healthStatus(sessions: number): RefusalReason | undefined {
    if (this.drain.isDraining) return 'draining';
    return this.#whyClosed(sessions);
  }

  /** Reason for refusing a start now; undefined while starts are accepted. A drain refuses only after its health lag. */
  refusal(sessions: number): RefusalReason | undefined {
    if (!this.drain.acceptsStarts) return 'draining';
    return this.#whyClosed(sessions);
  }

  #whyClosed(sessions: number): RefusalReason | undefined {
    if (this.#cordon) return 'cordoned';
    return sessions >= this.maxSessions ? 'full' : undefined;
  }
}
