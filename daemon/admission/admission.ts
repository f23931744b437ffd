import type { Clock, Millis } from '../runtime/clock.ts';
import type { Drain } from './drain.ts';
import { Headroom } from './headroom.ts';
import type { Cordon, OrderStore } from './orders.ts';
import type { Reach } from './reach.ts';

/** Why a start is refused. */
type RefusalReason = 'full' | 'cordoned' | 'draining';
/** Why the health check fails. */
type HealthFault = RefusalReason | 'not-ready' | 'cut-off';

/** Load balancers check at least this often (an ALB: every 5 to 300 s; the stack's every 5 s). */
const LONGEST_CHECK_INTERVAL_MS: Millis = 300_000;

/** A start was refused; another instance, or a later retry, may accept it. */
export class AtCapacity extends Error {
  override readonly name = 'AtCapacity';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(`This instance is ${reason} and accepts no new sessions`);
    this.reason = reason;
  }
}

interface AdmissionOptions {
  readonly maxSessions: number;
  readonly healthLagMs: Millis;
  readonly drain: Drain;
  readonly reach: Pick<Reach, 'cutOff'>;
  readonly clock: Clock;
  /** Undefined without STATE_DIR: then a cordon ends with the process. */
  readonly cordonStore?: OrderStore<Cordon> | undefined;
}

interface Cordoned extends Cordon {
  readonly sinceMs: Millis;
}

/**
 * Decides whether to accept a new session, and whether the load balancer should send more. It notices only after
 * HEALTH_LAG_MS, so a cordon and a drain refuse starts that much later than they fail the health check, and the health
 * check of a nearly full instance fails before MAX_SESSIONS is reached.
 */
export class Admission {
  readonly maxSessions: number;
  readonly drain: Drain;
  readonly #reach: Pick<Reach, 'cutOff'>;
  readonly #clock: Clock;
  readonly #healthLagMs: Millis;
  readonly #headroom: Headroom;
  readonly #cordonStore: OrderStore<Cordon> | undefined;
  #cordon: Cordoned | undefined;
  #notReady: string | undefined;
  /** When a health check or a start last came. */
  #requestedAtMs: Millis = -Infinity;

  constructor({ maxSessions, healthLagMs, drain, reach, clock, cordonStore }: AdmissionOptions) {
    this.maxSessions = maxSessions;
    this.drain = drain;
    this.#reach = reach;
    this.#clock = clock;
    this.#healthLagMs = healthLagMs;
    this.#headroom = new Headroom(maxSessions, healthLagMs);
    this.#cordonStore = cordonStore;
  }

  /** Undefined while not cordoned. */
  get currentCordon(): Cordon | undefined {
    if (!this.#cordon) return undefined;
    const { sinceEpochMs, reason } = this.#cordon;
    return { sinceEpochMs, reason };
  }

  /**
   * Accepts no new sessions after the health lag, until `uncordon`; running ones continue. Resolves when the order
   * outlives the process; never rejects.
   */
  async cordon(reason: string): Promise<void> {
    if (this.#cordon) return;
    const sinceEpochMs = this.#clock.epoch();
    this.#cordon = { sinceEpochMs, sinceMs: this.#clock.now(), reason };
    await this.#cordonStore?.save({ sinceEpochMs, reason });
  }

  /** Takes up a cordon that an earlier process left; its health lag counts from the order. */
  restoreCordon(cordon: Cordon): void {
    const agoMs = Math.max(0, this.#clock.epoch() - cordon.sinceEpochMs);
    this.#cordon = { ...cordon, sinceMs: this.#clock.now() - agoMs };
  }

  async uncordon(): Promise<void> {
    this.#cordon = undefined;
    await this.#cordonStore?.clear();
  }

  /** Why no session can start here, even if there is room; undefined when nothing is known to be wrong. */
  get notReady(): string | undefined {
    return this.#notReady;
  }

  /** Fails the health check with a reason, until it is called with undefined. Starts are tried all the same. */
  setNotReady(why: string | undefined): void {
    this.#notReady = why;
  }

  /** A health check or a start arrived: somebody sends starts here. */
  requestArrived(): void {
    this.#requestedAtMs = this.#clock.now();
  }

  /** True if a load balancer or a trigger may send a start, judging by recent requests. */
  get mayBeSent(): boolean {
    return this.#clock.now() - this.#requestedAtMs < Math.max(LONGEST_CHECK_INTERVAL_MS, this.#healthLagMs);
  }

  /** A start was accepted; there are `sessions` now. */
  started(sessions: number): void {
    this.#headroom.started(sessions, this.#clock.now());
  }

  /** A session ended: `sessions` are left. */
  ended(sessions: number): void {
    this.#headroom.ended(sessions);
  }

  /** Reason for failing the health check; undefined while healthy. */
  healthStatus(sessions: number): HealthFault | undefined {
    if (this.drain.isDraining) return 'draining';
    if (this.#cordon) return 'cordoned';
    if (this.#notReady !== undefined) return 'not-ready';
    if (this.#reach.cutOff) return 'cut-off';
    return sessions >= this.maxSessions || this.#headroom.isShort ? 'full' : undefined;
  }

  /** Reason for refusing a start now; undefined while starts are accepted. */
  refusal(sessions: number): RefusalReason | undefined {
    if (!this.drain.acceptsStarts) return 'draining';
    if (this.#cordon && this.#clock.now() - this.#cordon.sinceMs >= this.#healthLagMs) return 'cordoned';
    return sessions >= this.maxSessions ? 'full' : undefined;
  }
}
