import type { DrainSource, DrainView } from '../contract/control-api.ts';
import type { Log } from '../log/log.ts';
import type { Cancel, Clock, Millis } from '../runtime/clock.ts';

/** Why the sessions shall come to an end, and by when. */
export interface DrainOrder {
  readonly source: DrainSource;
  readonly reason: string;
  /** What still runs then is ended; undefined: nothing is. */
  readonly deadlineAtEpochMs: Millis | undefined;
}

/** What others may order and see of a drain. */
export interface Drainable {
  begin(order: DrainOrder): void;
  readonly sessionsLeft: number;
  /** Resolves when the last session of a drain is over and no start can come any more. */
  readonly drained: Promise<void>;
}

/** The sessions that are drained. */
export interface DrainingSessions {
  size(): number;
  longestCallMs(): Millis;
  /** Ends them cleanly; their checkpoints stay. */
  endRemaining(): void;
}

/**
 * `accepting` and `refusing` are before the deadline: starts are accepted for as long as the load balancer may not know
 * of the drain, then refused.
 */
type Phase = 'accepting' | 'refusing' | 'ending-rest' | 'drained';

/** A drain under way. */
interface Draining {
  order: DrainOrder;
  readonly sinceEpochMs: Millis;
  phase: Phase;
  readonly cancelLag: Cancel;
  cancelDeadline: Cancel;
}

/** It is not an operator's to cancel: the instance goes, or the drain is past its deadline. */
export class NotCancellable extends Error {
  override readonly name = 'NotCancellable';
}

/**
 * The one state machine behind SIGTERM, `integratorctl drain`, Auto Scaling's termination and the Spot notice. The
 * health check fails at once, starts are still taken for as long as the load balancer may not know (HEALTH_LAG_MS), the
 * running calls go on to their end, and what still runs at the deadline is ended cleanly.
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

  /** Whether a start that comes now is still taken. */
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

  /** Begins the drain. One that runs already is made stricter: of two deadlines the sooner counts, save an operator's own change. */
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
    this.#report(order, 'no new calls after the health lag; the running ones go on');
    this.#armDeadline(draining);
  }

  /** Takes new sessions again. Throws NotCancellable unless an operator ordered the drain and the rest still runs. */
  cancel(): void {
    const draining = this.#draining;
    if (!draining) return;
    if (draining.order.source !== 'operator')
      throw new NotCancellable(`The drain was ordered by ${draining.order.source}`);
    if (isPastDeadline(draining)) throw new NotCancellable('The drain is past its deadline');
    draining.cancelLag();
    draining.cancelDeadline();
    this.#draining = undefined;
    this.#log.info({ event: 'drain.cancelled' }, 'takes new calls again');
  }

  /** Ends what still runs now. */
  endRemaining(): void {
    const draining = this.#draining;
    if (!draining || isPastDeadline(draining)) return;
    draining.phase = 'ending-rest';
    if (this.sessionsLeft > 0) {
      this.#log.warn({ event: 'drain.deadline', sessions: this.sessionsLeft }, 'the deadline is there: ends the rest');
      this.#sessions.endRemaining();
    }
    this.check();
  }

  /** To be called when a session is over: the drain may be too. */
  check(): void {
    const draining = this.#draining;
    if (!draining || draining.phase === 'drained' || this.sessionsLeft > 0 || this.acceptsStarts) return;
    draining.phase = 'drained';
    draining.cancelLag();
    draining.cancelDeadline();
    this.#log.info(
      { event: 'drain.done', tookMs: this.#clock.epoch() - draining.sinceEpochMs },
      'the last call is over',
    );
    this.#done.resolve();
  }

  #tighten(draining: Draining, order: DrainOrder): void {
    const isOwnChange = order.source === 'operator' && draining.order.source === 'operator';
    const soonest = Math.min(order.deadlineAtEpochMs ?? Infinity, draining.order.deadlineAtEpochMs ?? Infinity);
    const deadlineAtEpochMs = isOwnChange ? order.deadlineAtEpochMs : soonest === Infinity ? undefined : soonest;
    // An operator's word does not make a drain cancellable that somebody else ordered too.
    const { source, reason } = order.source === 'operator' ? draining.order : order;
    draining.order = { source, reason, deadlineAtEpochMs };
    this.#report(draining.order, 'the drain goes on under another order');
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
