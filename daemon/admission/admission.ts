import type { Clock, Millis } from '../runtime/clock.ts';
import type { Drain } from './drain.ts';

/** Why a start is refused. */
export type RefusalReason = 'full' | 'cordoned' | 'draining';

/** An operator's order to take no new session. */
export interface Cordon {
  readonly sinceEpochMs: Millis;
  readonly reason: string;
}

/** No session is taken here now; another instance, or a later try, may take it. */
export class AtCapacity extends Error {
  override readonly name = 'AtCapacity';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(`This integrator is ${reason} and takes no new session`);
    this.reason = reason;
  }
}

/** Whether new sessions are taken: not above capacity, not while cordoned, not for long once a drain has begun. */
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

  /** Takes no new session until `uncordon`; the running ones go on. */
  cordon(reason: string): void {
    this.#cordon ??= { sinceEpochMs: this.#clock.epoch(), reason };
  }

  uncordon(): void {
    this.#cordon = undefined;
  }

  /** What the load balancer is told: why it should send no more starts; undefined when it may. */
  healthStatus(sessions: number): RefusalReason | undefined {
    if (this.drain.isDraining) return 'draining';
    return this.#whyClosed(sessions);
  }

  /** Why a start that comes now is refused: a drain is only known to the load balancer after a while. */
  refusal(sessions: number): RefusalReason | undefined {
    if (!this.drain.acceptsStarts) return 'draining';
    return this.#whyClosed(sessions);
  }

  #whyClosed(sessions: number): RefusalReason | undefined {
    if (this.#cordon) return 'cordoned';
    return sessions >= this.maxSessions ? 'full' : undefined;
  }
}
