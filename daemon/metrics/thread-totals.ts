import { orAborted } from '../runtime/abort.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { SessionMetrics, type SessionSnapshot, together } from './session-metrics.ts';

/** A scrape must not wait for a busy thread: its last known counts stand in. */
const ANSWER_TIMEOUT_MS: Millis = 1000;

/** Asks a thread for its counts: at once in the thread itself, by a message elsewhere. */
export type ReadThread = () => SessionSnapshot | Promise<SessionSnapshot>;

/** A thread's place in the sum. */
export interface Membership {
  /** Its counts as it told them by itself, for the case that it dies without being asked again. */
  note(snapshot: SessionSnapshot): void;
  /** The thread is gone: what it counted stays counted. */
  leave(): void;
}

/** The threads that host sessions, and the sum of what they and those before them have counted. */
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
        this.#gone = together(this.#gone, { ...last, checkpointAgeMs: 0 });
      },
    };
  }

  /** What all threads have counted. Never rejects: a thread that does not answer counts as it was last known. */
  async sum(): Promise<SessionSnapshot> {
    const timeout = this.#clock.timeout(ANSWER_TIMEOUT_MS);
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
