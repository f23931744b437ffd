import type { Clock, Millis } from '../runtime/clock.ts';
import type { Drain } from './drain.ts';

/** Why no session is taken. */
export type Closed = 'full' | 'cordoned' | 'draining';

/** No session is taken here now; another instance, or a later try, may take it. */
export class AtCapacity extends Error {
  override readonly name = 'AtCapacity';
  readonly reason: Closed;

  constructor(reason: Closed) {
    super(`This integrator is ${reason} and takes no new session`);
    this.reason = reason;
  }
}

/** Whether new sessions are taken: not above capacity, not while cordoned, not for long once a drain has begun. */
export class Admission {
  readonly maxSessions: number;
  readonly drain: Drain;
  readonly #clock: Clock;
  #cordon: { readonly sinceEpochMs: Millis; readonly reason: string } | undefined;

  constructor(maxSessions: number, drain: Drain, clock: Clock) {
    this.maxSessions = maxSessions;
    this.drain = drain;
    this.#clock = clock;
  }

  get cordon(): { readonly sinceEpochMs: Millis; readonly reason: string } | undefined {
    return this.#cordon;
  }

  /** Takes no new session until `uncordon`; the running ones go on. */
  close(reason: string): void {
    this.#cordon ??= { sinceEpochMs: this.#clock.epoch(), reason };
  }

  uncordon(): void {
    this.#cordon = undefined;
  }

  /** What the load balancer is told: why it should send no more starts; undefined when it may. */
  healthStatus(sessions: number): Closed | undefined {
    if (this.drain.isDraining) return 'draining';
    return this.#closed(sessions);
  }

  /** Why a start that comes now is refused: a drain is only known to the load balancer after a while. */
  refusal(sessions: number): Closed | undefined {
    if (!this.drain.takesStarts) return 'draining';
    return this.#closed(sessions);
  }

  #closed(sessions: number): Closed | undefined {
    if (this.#cordon) return 'cordoned';
    return sessions >= this.maxSessions ? 'full' : undefined;
  }
}
