import type { DrainSource, DrainView } from '../contract/control-api.ts';
import type { Log } from '../log/log.ts';
import type { Cancel, Clock, Millis } from '../runtime/clock.ts';
import type { DrainOrder, DrainRecord, OrderStore } from './orders.ts';

/** The drain, as other rooms see it. */
export interface Drainable {
  begin(order: DrainOrder): void;
  /** Takes a source's order back: without another order the drain ends, unless it is past its deadline. */
  withdraw(source: DrainSource): void;
}

/** The sessions to drain. */
interface DrainingSessions {
  size(): number;
  longestCallMs(): Millis;
  /** Ends them cleanly; their checkpoints stay. */
  endRemaining(): void;
  /** True if a load balancer may still send starts, because it may not have noticed the drain. */
  mayBeSent(): boolean;
}

/**
 * A drain accepts starts during the health lag, then refuses them. `ending-rest`: the deadline has come before the last
 * session's end. `drained`: no session is left, but results may be, until `finish` or the deadline.
 */
type Phase = 'accepting' | 'refusing' | 'ending-rest' | 'drained';

/** A drain in progress. */
interface Draining {
  /** The order of each source; the latest one last. */
  readonly orders: Map<DrainSource, DrainOrder>;
  readonly sinceEpochMs: Millis;
  readonly takesStartsUntilEpochMs: Millis;
  phase: Phase;
  isPastDeadline: boolean;
  readonly cancelLag: Cancel;
  cancelDeadline: Cancel;
}

/** An operator cannot cancel this drain: someone else ordered it, or it is past its deadline. */
export class NotCancellable extends Error {
  override readonly name = 'NotCancellable';
}

/** Sources that may move their own deadline to a later time. */
const MAY_EXTEND: ReadonlySet<DrainSource> = new Set(['operator', 'maintenance']);

/**
 * The one state machine behind SIGTERM, `integratorctl drain`, Auto Scaling's termination, the Spot notice and
 * scheduled maintenance. The health check fails at once. Starts are accepted for another HEALTH_LAG_MS, until the load
 * balancer has noticed. Running calls continue; those still running at the deadline are ended cleanly.
 */
export class Drain implements Drainable {
  readonly #sessions: DrainingSessions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #healthLagMs: Millis;
  readonly #done = Promise.withResolvers<void>();
  readonly #pastDeadline = Promise.withResolvers<void>();
  readonly #store: OrderStore<DrainRecord> | undefined;
  #draining: Draining | undefined;
  /** The drain that a crash interrupted. */
  #interrupted: DrainRecord | undefined;

  /** @param store undefined without STATE_DIR */
  constructor(
    sessions: DrainingSessions,
    clock: Clock,
    log: Log,
    healthLagMs: Millis,
    store?: OrderStore<DrainRecord>,
  ) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#log = log;
    this.#healthLagMs = healthLagMs;
    this.#store = store;
  }

  get isDraining(): boolean {
    return this.#draining !== undefined;
  }

  /** False once a drain refuses starts. */
  get acceptsStarts(): boolean {
    return !this.#draining || this.#draining.phase === 'accepting';
  }

  get sessionsLeft(): number {
    return this.#sessions.size();
  }

  /** Resolves when a drain's last session has ended and starts are refused. */
  get drained(): Promise<void> {
    return this.#done.promise;
  }

  /** Resolves at a drain's deadline, also when its last session has ended before. */
  get pastDeadline(): Promise<void> {
    return this.#pastDeadline.promise;
  }

  view(): DrainView | undefined {
    if (!this.#draining) return undefined;
    const { sinceEpochMs, takesStartsUntilEpochMs, phase } = this.#draining;
    const { source, reason, deadlineAtEpochMs = null } = effective(this.#draining);
    const state = phase === 'accepting' || phase === 'refusing' ? 'draining' : phase;
    const sessions = { sessionsLeft: this.sessionsLeft, longestCallMs: this.#sessions.longestCallMs() };
    return { source, reason, sinceEpochMs, deadlineAtEpochMs, takesStartsUntilEpochMs, ...sessions, state };
  }

  /**
   * Begins the drain, or adds an order to the one in progress: the earliest deadline applies. A repeated order of a
   * source tightens its own deadline; operators and maintenance may also extend theirs.
   */
  begin(order: DrainOrder): void {
    const bounded = this.#boundByInterrupted(order);
    if (this.#draining) {
      this.#add(this.#draining, bounded);
      return;
    }
    const sinceEpochMs = this.#interrupted?.sinceEpochMs ?? this.#clock.epoch();
    const agoMs = Math.max(0, this.#clock.epoch() - sinceEpochMs);
    // Nobody sends anything to an idle daemon that no balancer checks.
    const isIdle = this.sessionsLeft === 0 && !this.#sessions.mayBeSent();
    const lagMs = isIdle ? 0 : Math.max(0, this.#healthLagMs - agoMs);
    const draining: Draining = {
      orders: new Map([[bounded.source, bounded]]),
      sinceEpochMs,
      takesStartsUntilEpochMs: this.#clock.epoch() + lagMs,
      phase: lagMs > 0 ? 'accepting' : 'refusing',
      isPastDeadline: false,
      cancelLag: this.#clock.after(lagMs, () => this.#endLag(draining)),
      cancelDeadline: () => {},
    };
    this.#draining = draining;
    this.#changed(draining, 'draining: accepts no new calls after the health lag');
  }

  /**
   * Takes up a drain that a crash interrupted: an operator's order continues; the deadline of a termination applies
   * again as soon as Auto Scaling announces it again. A signal was meant for the process that is gone.
   */
  restore(record: DrainRecord): void {
    if (record.orders.some(({ source }) => source === 'signal')) return;
    this.#interrupted = record;
    const operator = record.orders.find(({ source }) => source === 'operator');
    if (operator) this.begin(operator);
  }

  /** Ends the drain. Throws NotCancellable unless only an operator ordered it and it is before its deadline. */
  cancel(): void {
    const draining = this.#draining;
    if (!draining) return;
    const other = [...draining.orders.keys()].find((source) => source !== 'operator');
    if (other) throw new NotCancellable(`The drain was not ordered by an operator (source: ${other})`);
    if (isFinal(draining)) throw new NotCancellable('The drain is past its deadline');
    this.#end(draining);
  }

  withdraw(source: DrainSource): void {
    const draining = this.#draining;
    if (!draining || isFinal(draining) || !draining.orders.delete(source)) return;
    if (draining.orders.size === 0) this.#end(draining);
    else this.#changed(draining, 'the drain continues without one of its orders');
  }

  /** The deadline is now: ends the remaining sessions, and hurries what waits for `pastDeadline`. */
  endRemaining(): void {
    const draining = this.#draining;
    if (!draining || draining.isPastDeadline) return;
    draining.isPastDeadline = true;
    draining.cancelDeadline();
    this.#pastDeadline.resolve();
    if (draining.phase === 'drained') return;
    draining.phase = 'ending-rest';
    const { sessionsLeft: sessions } = this;
    if (sessions > 0) {
      this.#log.warn({ event: 'drain.deadline', sessions }, 'deadline reached: ending remaining sessions');
      this.#sessions.endRemaining();
    }
    this.check();
  }

  /** Call this when a session has ended: it may have been the last one. */
  check(): void {
    const draining = this.#draining;
    if (!draining || draining.phase === 'drained' || this.sessionsLeft > 0 || this.acceptsStarts) return;
    draining.phase = 'drained';
    draining.cancelLag();
    this.#log.info(
      { event: 'drain.done', tookMs: this.#clock.epoch() - draining.sinceEpochMs },
      'drained: the last call has ended',
    );
    this.#done.resolve();
  }

  /** Call this when nothing is left to do: until then a crash is followed by the same drain. */
  finish(): void {
    this.#draining?.cancelDeadline();
    void this.#store?.clear();
  }

  #add(draining: Draining, order: DrainOrder): void {
    const before = draining.orders.get(order.source);
    const deadlineAtEpochMs = MAY_EXTEND.has(order.source)
      ? order.deadlineAtEpochMs
      : earliest([order.deadlineAtEpochMs, before?.deadlineAtEpochMs]);
    draining.orders.delete(order.source);
    draining.orders.set(order.source, { ...order, deadlineAtEpochMs });
    this.#changed(draining, 'the drain continues with a new order');
  }

  /** A termination's time counts from its announcement; a crash must not restart it. */
  #boundByInterrupted(order: DrainOrder): DrainOrder {
    if (order.source !== 'lifecycle') return order;
    const before = this.#interrupted?.orders.find(({ source }) => source === 'lifecycle');
    return { ...order, deadlineAtEpochMs: earliest([order.deadlineAtEpochMs, before?.deadlineAtEpochMs]) };
  }

  #end(draining: Draining): void {
    draining.cancelLag();
    draining.cancelDeadline();
    this.#draining = undefined;
    this.#interrupted = undefined;
    void this.#store?.clear();
    this.#log.info({ event: 'drain.cancelled' }, 'drain canceled: accepts new calls');
  }

  #changed(draining: Draining, message: string): void {
    const { source, reason, deadlineAtEpochMs } = effective(draining);
    const deadline = deadlineAtEpochMs === undefined ? undefined : new Date(deadlineAtEpochMs).toISOString();
    this.#log.info({ event: 'drain.began', source, reason, deadline, sessions: this.sessionsLeft }, message);
    void this.#store?.save({ sinceEpochMs: draining.sinceEpochMs, orders: [...draining.orders.values()] });
    this.#armDeadline(draining);
  }

  #endLag(draining: Draining): void {
    if (draining.phase === 'accepting') draining.phase = 'refusing';
    this.check();
  }

  #armDeadline(draining: Draining): void {
    draining.cancelDeadline();
    const { deadlineAtEpochMs } = effective(draining);
    if (deadlineAtEpochMs === undefined || draining.isPastDeadline) return;
    const waitMs = Math.max(0, deadlineAtEpochMs - this.#clock.epoch());
    draining.cancelDeadline = this.#clock.after(waitMs, () => this.endRemaining());
  }
}

/** What the orders amount to. The source decides who can cancel, so an operator's order is named only when alone. */
function effective({ orders }: Draining): DrainOrder {
  const all = [...orders.values()];
  const named = all.findLast(({ source }) => source !== 'operator') ?? (all.at(-1) as DrainOrder);
  return { ...named, deadlineAtEpochMs: earliest(all.map((order) => order.deadlineAtEpochMs)) };
}

/** Undefined means no deadline. */
function earliest(deadlines: readonly (Millis | undefined)[]): Millis | undefined {
  const soonest = Math.min(...deadlines.map((deadline) => deadline ?? Infinity));
  return soonest === Infinity ? undefined : soonest;
}

/** A drain that has ended its sessions, or has none left, is not taken back. */
function isFinal({ phase }: Draining): boolean {
  return phase === 'ending-rest' || phase === 'drained';
}
