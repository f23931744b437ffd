export type Millis = number;

/** Cancels what was scheduled; does nothing once that has run. */
export type Cancel = () => void;

/** Where time comes from, for reading and for waiting, so that a test can bring its own. */
export interface Clock {
  /** Milliseconds since a fixed moment; never goes back: for deadlines, which a clock step must not move. */
  now(): Millis;
  /** Milliseconds since 1970, for signatures and for times that others read. */
  epoch(): Millis;
  /** Runs `task` once, `ms` from now, however far away that is. */
  after(ms: Millis, task: () => void): Cancel;
  /** Runs `task` every `ms` until it is canceled. Does not keep the process alive. */
  every(ms: Millis, task: () => void): Cancel;
  /** Resolves `ms` from now; rejects with the signal's reason when the signal aborts first. */
  sleep(ms: Millis, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts `ms` from now with a TimeoutError. Does not keep the process alive. */
  timeout(ms: Millis): AbortSignal;
}

/** The longest delay that a Node timer can have (24.8 days); a longer one would fire at once. */
const LONGEST_TIMER_MS: Millis = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  after(ms, task) {
    const dueMs = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const arm = (leftMs: Millis) => {
      const isLast = leftMs <= LONGEST_TIMER_MS;
      timer = setTimeout(isLast ? task : () => arm(dueMs - performance.now()), Math.min(leftMs, LONGEST_TIMER_MS));
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
  every(ms, task) {
    const timer = setInterval(task, ms).unref();
    return () => clearInterval(timer);
  },
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
  timeout: (ms) => AbortSignal.timeout(ms),
};

/** `Clock.sleep` in terms of `Clock.after`. */
export function sleepOn(clock: Pick<Clock, 'after'>, ms: Millis, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** `Clock.timeout` in terms of `Clock.after`. */
export function timeoutOn(clock: Pick<Clock, 'after'>, ms: Millis): AbortSignal {
  const controller = new AbortController();
  clock.after(ms, () => {
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  });
  return controller.signal;
}
