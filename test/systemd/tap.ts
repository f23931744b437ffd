/** A check that neither succeeds nor fails must not hold up the others for ever. */
const PATIENCE_MS = 120_000;

/** Runs checks one after the other and reports them in the Test Anything Protocol. */
export class Tap {
  passed = 0;
  failed = 0;
  readonly #write: (line: string) => void;
  readonly #signal: AbortSignal;
  readonly #context: () => readonly string[];

  /** @param context tells more about a failure, a line each */
  constructor(write: (line: string) => void, signal: AbortSignal, context: () => readonly string[]) {
    this.#write = write;
    this.#signal = signal;
    this.#context = context;
    write('TAP version 13');
  }

  /** One check: it fails when `body` throws, or takes for ever. Throws when the signal ends them all. */
  async check(title: string, body: () => Promise<void>): Promise<void> {
    this.#signal.throwIfAborted();
    const number = this.passed + this.failed + 1;
    const beganMs = performance.now();
    try {
      await patiently(body(), this.#signal);
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

  /** The plan, and the line with both numbers. */
  end(): void {
    this.#write(`1..${this.passed + this.failed}`);
    this.#write(`${this.passed} passed, ${this.failed} failed`);
  }
}

async function patiently(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const given = Promise.withResolvers<never>();
  const timer = setTimeout(() => given.reject(new Error(`not over after ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  const interrupted = () => given.reject(signal.reason);
  signal.addEventListener('abort', interrupted);
  try {
    await Promise.race([work, given.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupted);
  }
}
