/** Timeout of a check. */
const TIMEOUT_MS = 120_000;

/** Runs checks in order and reports them in the Test Anything Protocol. */
export class Tap {
  passed = 0;
  failed = 0;
  readonly #write: (line: string) => void;
  readonly #signal: AbortSignal;
  readonly #context: () => readonly string[];

  /** @param context returns lines that help explain a failure */
  constructor(write: (line: string) => void, signal: AbortSignal, context: () => readonly string[]) {
    this.#write = write;
    this.#signal = signal;
    this.#context = context;
    write('TAP version 13');
  }

  /** Runs a check, which fails if `body` throws or times out. Throws if the signal aborts the run. */
  async check(title: string, body: () => Promise<void>): Promise<void> {
    this.#signal.throwIfAborted();
    const number = this.passed + this.failed + 1;
    const beganMs = performance.now();
    try {
      await withTimeout(body(), this.#signal);
      this.passed++;
      this.#write(`ok ${number} - ${title} # time=${Math.round(performance.now() - beganMs)}ms`);
    } catch (error) {
      this.#signal.throwIfAborted();
      this.failed++;
      this.#write(`not ok ${number} - ${title}`);
      const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
      for (const line of [...told.split('\n'), ...this.#context()]) this.#write(`  # ${line}`);
    }
  }

  /** Prints the plan and both totals. */
  end(): void {
    this.#write(`1..${this.passed + this.failed}`);
    this.#write(`${this.passed} passed, ${this.failed} failed`);
  }
}

async function withTimeout(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const given = Promise.withResolvers<never>();
  const timer = setTimeout(() => given.reject(new Error(`timed out after ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  const interrupted = () => given.reject(signal.reason);
  signal.addEventListener('abort', interrupted);
  try {
    await Promise.race([work, given.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupted);
  }
}
