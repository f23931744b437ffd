import type { Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { DeadLetters } from './dead-letters/dead-letters.ts';
import type { QueuedEvent } from './event-queue.ts';
import type { ResultsCounter } from './results-counter.ts';
import type { Budget, Dropped, SessionEvents } from './session-events.ts';
import type { Batch } from './sink.ts';

/** What makes room is a dead letter, so as many events as a batch may have. */
const DROP_AT_ONCE = 100;

const LOG_OVERFLOW_EVERY_MS: Millis = 60_000;
/** Dead letters on their way to a slow bucket are in memory. */
const MOST_KEPT_AT_ONCE = 16;

interface RoomOptions {
  readonly sessions: () => Iterable<SessionEvents>;
  readonly mostBytes: number;
  /** Resolves when every event so far is on disk, or cannot be. Never rejects. */
  readonly flush: () => Promise<void>;
  readonly deadLetters: DeadLetters;
  readonly counter: ResultsCounter;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a thread's undelivered events may take (RESULTS_SPOOL_MIB), and which of them make room for others. */
export class Room implements Budget {
  readonly #options: RoomOptions;
  /** Dead letters of events that had to make room, on their way. */
  readonly #letters = new Set<Promise<void>>();
  /** Letters that wait until their events are on disk. */
  readonly #collecting = new Map<SessionEvents, { readonly events: QueuedEvent[]; readonly sinks: Dropped['sinks'] }>();
  #bytes = 0;
  #keeping = 0;
  #lostUnlogged = 0;
  #overflowLoggedAtMs: Millis = -Infinity;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** What all sessions take. */
  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#bytes > this.#options.mostBytes;
  }

  keep(bytes: number): void {
    this.#bytes += bytes;
  }

  makeRoom(): void {
    while (this.isFull && this.#dropSome());
  }

  /** Resolves when what had to make room is in dead letters, or lost. Never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#letters);
  }

  /** Gives up the oldest events of the session that can spare the most. False if no session can. */
  #dropSome(): boolean {
    for (const session of this.#givers()) {
      const dropped = session.drop(DROP_AT_ONCE);
      if (!dropped) continue;
      if (this.#collect(session, dropped)) return true;
      const keeping = this.#keepDropped(session, dropped).finally(() => this.#letters.delete(keeping));
      this.#letters.add(keeping);
      return true;
    }
    return false;
  }

  /**
   * Sessions whose events make room, the largest backlog first. While a consumer is away, those of others that keep up, and
   * have no more than a batch waiting, do not pay for it.
   */
  #givers(): SessionEvents[] {
    const sessions = [...this.#options.sessions()].sort((one, other) => other.droppable - one.droppable);
    const failing = sessions.filter(({ isFailing }) => isFailing);
    if (failing.length === 0) return sessions;
    return [...failing, ...sessions.filter(({ isFailing, droppable }) => !isFailing && droppable > DROP_AT_ONCE)];
  }

  /** Adds events to the session's letter that waits for the disk. False if they fit into no letter. */
  #collect(session: SessionEvents, { events, sinks }: Dropped): boolean {
    const letter = this.#collecting.get(session);
    const [first, last] = [events[0]?.head, letter?.events.at(-1)?.head];
    if (!letter || !first || !last || letter.events.length + events.length > DROP_AT_ONCE) return false;
    if (first.epoch !== last.epoch || first.sequence < last.sequence || sinks.join() !== letter.sinks.join())
      return false;
    letter.events.push(...events);
    return true;
  }

  /** Keeps events that had to make room as dead letters, unless too many are being kept already. Never rejects. */
  async #keepDropped(session: SessionEvents, { events: dropped, sinks }: Dropped): Promise<void> {
    const { counter, deadLetters, flush } = this.#options;
    const isTooMuch = this.#keeping >= MOST_KEPT_AT_ONCE;
    const events = [...dropped];
    this.#keeping++;
    if (!isTooMuch) {
      // As with events that are sent: before they are on disk, another process may give their numbers to others.
      const letter = { events, sinks };
      this.#collecting.set(session, letter);
      do await flush();
      while (!events.every((event) => session.isSendable(event)));
      if (this.#collecting.get(session) === letter) this.#collecting.delete(session);
    }
    for (const sink of sinks) {
      const kept = isTooMuch ? 'failed' : await deadLetters.put({ sink, batch: batchOf(session, events) });
      if (kept === 'kept') counter.deadLetter(sink, events.length);
      else counter.lost(events.length);
      this.#noteOverflow(session, kept === 'kept' ? 0 : events.length);
    }
    this.#keeping--;
    session.noteDropped(events);
  }

  /** Logs when events begin to make room, and then from time to time. */
  #noteOverflow({ session: { sessionId, contactId } }: SessionEvents, lost: number): void {
    const { clock, log } = this.#options;
    this.#lostUnlogged += lost;
    if (clock.now() - this.#overflowLoggedAtMs < LOG_OVERFLOW_EVERY_MS) return;
    const fields = { event: 'results.overflow', sessionId, contactId, lost: this.#lostUnlogged };
    log.error(
      fields,
      'undelivered events exceed RESULTS_SPOOL_MIB: the oldest of the largest backlog become dead letters, or are lost',
    );
    this.#overflowLoggedAtMs = clock.now();
    this.#lostUnlogged = 0;
  }
}

function batchOf({ session }: SessionEvents, events: readonly QueuedEvent[]): Batch {
  const batched = events.map(({ head, type, json }) => ({ sequence: head?.sequence, type, json }));
  const epoch = events[0]?.epoch ?? 1;
  const range = `${batched[0]?.sequence}-${batched.at(-1)?.sequence}`;
  return { session, epoch, id: `${session.sessionId}_${epoch}_${range}`, events: batched };
}
