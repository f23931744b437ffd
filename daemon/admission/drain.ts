import type { DrainSource, DrainView } from '../contract/control-api.ts';
import type { Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';

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
export interface Drained {
  size(): number;
  longestCallMs(): Millis;
  /** Ends them cleanly; their checkpoints stay. */
  endRest(): void;
}

/** A drain under way. */
interface Draining {
  order: DrainOrder;
  readonly sinceEpochMs: Millis;
  readonly takesStartsUntilEpochMs: Millis;
  readonly lag: NodeJS.Timeout;
  deadline: NodeJS.Timeout | undefined;
  state: DrainView['state'];
}

/** The longest time that a timer of Node's can wait; a deadline further away is looked at again then. */
const LONGEST_TIMER_MS: Millis = 2 ** 31 - 1;

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
  readonly #sessions: Drained;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #healthLagMs: Millis;
  readonly #done = Promise.withResolvers<void>();
  #draining: Draining | undefined;

  constructor(sessions: Drained, clock: Clock, log: Log, healthLagMs: Millis) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#log = log;
    this.#healthLagMs = healthLagMs;
  }

  get isDraining(): boolean {
    return this.#draining !== undefined;
  }

  /** Whether a start that comes now is still taken. */
  get takesStarts(): boolean {
    return !this.#draining || (this.#draining.state === 'draining' && !this.#lagIsOver(this.#draining));
  }

  get sessionsLeft(): number {
    return this.#sessions.size();
  }

  get drained(): Promise<void> {
    return this.#done.promise;
  }

  view(): DrainView | undefined {
    if (!this.#draining) return undefined;
    const { order, sinceEpochMs, takesStartsUntilEpochMs, state } = this.#draining;
    const { source, reason, deadlineAtEpochMs = null } = order;
    const sessions = { sessionsLeft: this.sessionsLeft, longestCallMs: this.#sessions.longestCallMs() };
    return { source, reason, sinceEpochMs, deadlineAtEpochMs, takesStartsUntilEpochMs, ...sessions, state };
  }

  /** Begins the drain. One that runs already is made stricter: of two deadlines the sooner counts, save an operator's own change. */
  begin(order: DrainOrder): void {
    if (this.#draining) {
      this.#tighten(this.#draining, order);
      return;
    }
    const nowMs = this.#clock.epoch();
    this.#draining = {
      order,
      sinceEpochMs: nowMs,
      takesStartsUntilEpochMs: nowMs + this.#healthLagMs,
      lag: setTimeout(() => this.check(), this.#healthLagMs),
      deadline: undefined,
      state: 'draining',
    };
    this.#report(order, 'no new calls after the health lag; the running ones go on');
    this.#armDeadline(this.#draining);
  }

  /** Takes new sessions again. Throws NotCancellable unless an operator ordered the drain and the rest still runs. */
  cancel(): void {
    const draining = this.#draining;
    if (!draining) return;
    if (draining.order.source !== 'operator')
      throw new NotCancellable(`The drain was ordered by ${draining.order.source}`);
    if (draining.state !== 'draining') throw new NotCancellable('The drain is past its deadline');
    clearTimeout(draining.lag);
    clearTimeout(draining.deadline);
    this.#draining = undefined;
    this.#log.info({ event: 'drain.cancelled' }, 'takes new calls again');
  }

  /** Ends what still runs now. */
  endRest(): void {
    const draining = this.#draining;
    if (draining?.state !== 'draining') return;
    draining.state = 'ending-rest';
    if (this.sessionsLeft > 0) {
      this.#log.warn({ event: 'drain.deadline', sessions: this.sessionsLeft }, 'the deadline is there: ends the rest');
      this.#sessions.endRest();
    }
    this.check();
  }

  /** To be called when a session is over: the drain may be too. */
  check(): void {
    const draining = this.#draining;
    if (!draining || draining.state === 'drained' || this.sessionsLeft > 0 || this.takesStarts) return;
    draining.state = 'drained';
    clearTimeout(draining.lag);
    clearTimeout(draining.deadline);
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

  #armDeadline(draining: Draining): void {
    clearTimeout(draining.deadline);
    const { deadlineAtEpochMs } = draining.order;
    if (deadlineAtEpochMs === undefined) return;
    const waitMs = Math.max(0, deadlineAtEpochMs - this.#clock.epoch());
    const isFar = waitMs > LONGEST_TIMER_MS;
    const due = () => (isFar ? this.#armDeadline(draining) : this.endRest());
    draining.deadline = setTimeout(due, Math.min(waitMs, LONGEST_TIMER_MS));
  }

  #lagIsOver({ takesStartsUntilEpochMs }: Draining): boolean {
    return this.#clock.epoch() >= takesStartsUntilEpochMs;
  }

  #report({ source, reason, deadlineAtEpochMs }: DrainOrder, message: string): void {
    const deadline = deadlineAtEpochMs === undefined ? undefined : new Date(deadlineAtEpochMs).toISOString();
    this.#log.info({ event: 'drain.began', source, reason, deadline, sessions: this.sessionsLeft }, message);
  }
}
