import type { DrainSource, DrainView } from '../contract/control-api.ts';
import type { Log } from '../log/log.ts';
import type { Cancel, Clock, Millis } from '../runtime/clock.ts';

/** Why to drain, and by when. */
export interface DrainOrder {
  readonly source: DrainSource;
  readonly reason: string;
  /** Remaining sessions are ended then; undefined for no deadline. */
  readonly deadlineAtEpochMs: Millis | undefined;
}

/** The drain, as other rooms see it. */
export interface Drainable {
  begin(order: DrainOrder): void;
  readonly sessionsLeft: number;
  /** Resolves when a drain's last session has ended and starts are refused. */
  readonly drained: Promise<void>;
}

/** The sessions to drain. */
export interface DrainingSessions {
  size(): number;
  longestCallMs(): Millis;
  /** Ends them cleanly; their checkpoints stay. */
  endRemaining(): void;
}

/** `accepting` and `refusing` come before the deadline: a drain accepts starts during the health lag, then refuses them. */
type Phase = 'accepting' | 'refusing' | 'ending-rest' | 'drained';

/** A drain in progress. */
interface Draining {
  order: DrainOrder;
  readonly sinceEpochMs: Millis;
  phase: Phase;
  readonly cancelLag: Cancel;
  cancelDeadline: Cancel;
}

/** An operator cannot cancel this drain: someone else ordered it, or it is past its deadline. */
export class NotCancellable extends Error {
  override readonly name = 'NotCancellable';
}

/**
 * The one state machine behind SIGTERM, `integratorctl drain`, Auto Scaling's termination and the Spot notice. The
 * health check fails at once. Starts are accepted for another HEALTH_LAG_MS, until the load balancer has noticed.
 * Running calls continue; those still running at the deadline are ended cleanly.
 */
export class Drain implements Drainable {
  readonly #sessions: DrainingSessions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #healthLagMs: Millis;
  readonly #done = Promise.withResolvers<void>();
  #draining: Draining | undefined;

  constructor(sessions: DrainingSessions, clock: Clock, log: Log, healthLagMs: Millis) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#log = log;
    this.#healthLagMs = healthLagMs;
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

  get drained(): Promise<void> {
    return this.#done.promise;
  }

  view(): DrainView | undefined {
    if (!this.#draining) return undefined;
    const { order, sinceEpochMs, phase } = this.#draining;
    const { source, reason, deadlineAtEpochMs = null } = order;
    const takesStartsUntilEpochMs = sinceEpochMs + this.#healthLagMs;
    const state = phase === 'accepting' || phase === 'refusing' ? 'draining' : phase;
    const sessions = { sessionsLeft: this.sessionsLeft, longestCallMs: this.#sessions.longestCallMs() };
    return { source, reason, sinceEpochMs, deadlineAtEpochMs, takesStartsUntilEpochMs, ...sessions, state };
  }

  /**
   * Begins the drain, or tightens the one in progress: the earlier deadline applies. Only operators can extend the
   * deadline, and only of their own drain.
   */
  begin(order: DrainOrder): void {
    if (this.#draining) {
      this.#tighten(this.#draining, order);
      return;
    }
    const draining: Draining = {
      order,
      sinceEpochMs: this.#clock.epoch(),
      phase: this.#healthLagMs > 0 ? 'accepting' : 'refusing',
      cancelLag: this.#clock.after(this.#healthLagMs, () => this.#endLag(draining)),
      cancelDeadline: () => {},
    };
    this.#draining = draining;
    this.#report(order, 'draining: accepts no new calls after the health lag');
    this.#armDeadline(draining);
  }

  /** Ends the drain. Throws NotCancellable unless an operator ordered it and it is before its deadline. */
  cancel(): void {
    const draining = this.#draining;
    if (!draining) return;
    if (draining.order.source !== 'operator')
      throw new NotCancellable(`The drain was not ordered by an operator (source: ${draining.order.source})`);
    if (isPastDeadline(draining)) throw new NotCancellable('The drain is past its deadline');
    draining.cancelLag();
    draining.cancelDeadline();
    this.#draining = undefined;
    this.#log.info({ event: 'drain.cancelled' }, 'drain canceled: accepts new calls');
  }

  /** Ends the remaining sessions now. */
  endRemaining(): void {
    const draining = this.#draining;
    if (!draining || isPastDeadline(draining)) return;
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
    draining.cancelDeadline();
    this.#log.info(
      { event: 'drain.done', tookMs: this.#clock.epoch() - draining.sinceEpochMs },
      'drained: the last call has ended',
    );
    this.#done.resolve();
  }

  #tighten(draining: Draining, order: DrainOrder): void {
    const isOwnChange = order.source === 'operator' && draining.order.source === 'operator';
    const soonest = Math.min(order.deadlineAtEpochMs ?? Infinity, draining.order.deadlineAtEpochMs ?? Infinity);
    const deadlineAtEpochMs = isOwnChange ? order.deadlineAtEpochMs : soonest === Infinity ? undefined : soonest;
    // The source decides who can cancel: an operator's order must not make another source's drain cancelable.
    const { source, reason } = order.source === 'operator' ? draining.order : order;
    draining.order = { source, reason, deadlineAtEpochMs };
    this.#report(draining.order, 'the drain continues with a new order');
    this.#armDeadline(draining);
  }

  #endLag(draining: Draining): void {
    if (draining.phase === 'accepting') draining.phase = 'refusing';
    this.check();
  }

  #armDeadline(draining: Draining): void {
    draining.cancelDeadline();
    const { deadlineAtEpochMs } = draining.order;
    if (deadlineAtEpochMs === undefined) return;
    const waitMs = Math.max(0, deadlineAtEpochMs - this.#clock.epoch());
    draining.cancelDeadline = this.#clock.after(waitMs, () => this.endRemaining());
  }

  #report({ source, reason, deadlineAtEpochMs }: DrainOrder, message: string): void {
    const deadline = deadlineAtEpochMs === undefined ? undefined : new Date(deadlineAtEpochMs).toISOString();
    this.#log.info({ event: 'drain.began', source, reason, deadline, sessions: this.sessionsLeft }, message);
  }
}

function isPastDeadline({ phase }: Draining): boolean {
  return phase === 'ending-rest' || phase === 'drained';
}
