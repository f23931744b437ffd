import type { Cancel, Clock, Millis } from './clock.ts';

/** A caller that waits for its turn. */
interface Waiting {
  readonly grant: () => void;
  isGone: boolean;
}

/** Grants one turn per interval, in the order of requests, to stay below a service's rate limit. */
export class RateLimiter {
  readonly #intervalMs: Millis;
  readonly #clock: Clock;
  /** Waiting callers in order, including those that have given up. */
  readonly #queue: Waiting[] = [];
  #freeAtMs = 0;
  #cancelNext: Cancel | undefined;

  constructor(intervalMs: Millis, clock: Clock) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /**
   * Resolves when the caller has its turn. Rejects with the signal's reason if that comes first; the turn goes to the
   * next caller then.
   */
  async acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.isFree) {
      this.#take();
      return;
    }
    const turn = Promise.withResolvers<void>();
    const waiting: Waiting = { grant: turn.resolve, isGone: false };
    const leave = () => {
      waiting.isGone = true;
      turn.reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#queue.push(waiting);
    this.#cancelNext ??= this.#clock.after(this.#freeAtMs - this.#clock.now(), this.#grantNext);
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** True when the next caller would not have to wait. */
  get isFree(): boolean {
    return this.#freeAtMs <= this.#clock.now() && this.#queue.every(({ isGone }) => isGone);
  }

  #take(): void {
    this.#freeAtMs = Math.max(this.#clock.now(), this.#freeAtMs) + this.#intervalMs;
  }

  readonly #grantNext = () => {
    this.#cancelNext = undefined;
    let next = this.#queue.shift();
    while (next?.isGone) next = this.#queue.shift();
    if (!next) return;
    this.#take();
    next.grant();
    if (this.#queue.length > 0) {
      this.#cancelNext = this.#clock.after(Math.max(0, this.#freeAtMs - this.#clock.now()), this.#grantNext);
    }
  };
}
