import type { Cancel, Clock, Millis } from '../../daemon/runtime/clock.ts';
import { type Timer, TimerWheel } from '../../daemon/runtime/timer-wheel.ts';

/** A timer wheel without ticks: timers fire exactly when due, and hours of virtual time cost nothing. */
export class ExactTimers extends TimerWheel {
  readonly #cancels = new Map<Timer, Cancel>();
  readonly #clock: Clock;
  readonly #load: number;

  constructor(clock: Clock, load = 0) {
    super(clock);
    this.#clock = clock;
    this.#load = load;
  }

  override get load(): number {
    return this.#load;
  }

  override set(timer: Timer, dueMs: Millis): void {
    this.cancel(timer);
    timer.dueMs = dueMs;
    const fire = () => {
      this.#cancels.delete(timer);
      timer.task();
    };
    this.#cancels.set(timer, this.#clock.after(Math.max(0, dueMs - this.now()), fire));
  }

  override cancel(timer: Timer): void {
    this.#cancels.get(timer)?.();
    this.#cancels.delete(timer);
  }
}
