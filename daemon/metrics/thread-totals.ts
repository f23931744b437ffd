import { orAborted } from '../runtime/abort.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { NO_BACKLOG, SessionMetrics, type SessionSnapshot, together } from './session-metrics.ts';

/** A scrape must not wait for a busy thread; its last known counts are used. */
const RESPONSE_TIMEOUT_MS: Millis = 1000;

/** Reads a thread's counts: directly in the same thread, otherwise by message. */
type ReadThread = () => SessionSnapshot | Promise<SessionSnapshot>;

/** A thread's place in the sum. */
interface Membership {
  /** Takes counts that the thread reported by itself, in case it dies before they are read. */
  note(snapshot: SessionSnapshot): void;
  /** The thread has ended; its counts stay in the sum. */
  leave(): void;
}

/** The sum of the counts of all threads that host or have hosted sessions. */
export class Threads {
  readonly #clock: Clock;
  readonly #members = new Map<ReadThread, SessionSnapshot>();
  #gone: SessionSnapshot = new SessionMetrics().snapshot();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  join(read: ReadThread): Membership {
    this.#members.set(read, new SessionMetrics().snapshot());
    return {
      note: (snapshot) => this.#note(read, snapshot),
      leave: () => {
        const last = this.#members.get(read);
        if (!last) return;
        this.#members.delete(read);
        const left = { checkpointAgeMs: 0, lagNowMs: 0, resultsBacklog: NO_BACKLOG };
        this.#gone = together(this.#gone, { ...last, ...left });
      },
    };
  }

  /** Never rejects: for a thread that does not respond, its last known counts are used. */
  async sum(): Promise<SessionSnapshot> {
    const timeout = this.#clock.timeout(RESPONSE_TIMEOUT_MS);
    await Promise.all([...this.#members.keys()].map((read) => this.#update(read, timeout)));
    return [...this.#members.values()].reduce(together, this.#gone);
  }

  async #update(read: ReadThread, timeout: AbortSignal): Promise<void> {
    try {
      this.#note(read, await orAborted(Promise.resolve(read()), timeout));
    } catch {
      // The thread is busy or dying; the worker pool reports the latter.
    }
  }

  /** Ignores a thread that has left: its last known counts are in the sum already. */
  #note(read: ReadThread, snapshot: SessionSnapshot): void {
    if (this.#members.has(read)) this.#members.set(read, snapshot);
  }
}
