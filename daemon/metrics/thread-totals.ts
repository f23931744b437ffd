import type { Millis } from '../runtime/clock.ts';
import { SessionMetrics, type SessionSnapshot, together } from './session-metrics.ts';

/** A thread that is too busy to answer within this is taken as it was last seen: a scrape must not wait for it. */
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
  readonly #members = new Map<ReadThread, SessionSnapshot>();
  #gone: SessionSnapshot = new SessionMetrics().snapshot();

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

  /** What all threads have counted. Never rejects: of one that does not answer the last word counts. */
  async sum(): Promise<SessionSnapshot> {
    await Promise.all([...this.#members.keys()].map((read) => this.#ask(read)));
    return [...this.#members.values()].reduce(together, this.#gone);
  }

  async #ask(read: ReadThread): Promise<void> {
    const { promise: late, resolve: giveUp } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => giveUp(undefined), ANSWER_TIMEOUT_MS);
    try {
      const snapshot = await Promise.race([read(), late]);
      if (snapshot) this.#note(read, snapshot);
    } catch {
      // A thread that cannot be asked is dying: its last word is known, and whoever runs it reports its end.
    } finally {
      clearTimeout(timer);
    }
  }

  /** An answer that comes after the thread has left is in the sum already, as far as it was known. */
  #note(read: ReadThread, snapshot: SessionSnapshot): void {
    if (this.#members.has(read)) this.#members.set(read, snapshot);
  }
}
