import type { Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Sealing } from '../secrets/sealing.ts';
import type { DeadLetters } from './dead-letters/dead-letters.ts';
import { type EventLog, NOTHING_SAID } from './event-log.ts';
import type { QueuedEvent } from './event-queue.ts';
import type { ResultsCounter } from './results-counter.ts';
import { type Beginning, type Budget, SessionEvents } from './session-events.ts';
import type { Batch, Sink } from './sink.ts';
import type { Folder } from './spool/folder.ts';
import { type DeliveredSession, lineOf } from './spool/record.ts';
import { type RecoveredSession, readSession, removeSession } from './spool/recovery.ts';
import { type LiveContent, Spool } from './spool/spool.ts';

/** Dropping one event at a time would look for the largest backlog each time. */
const DROP_AT_ONCE = 100;

const LOG_OVERFLOW_EVERY_MS: Millis = 60_000;
/** Dead letters on their way to a slow bucket are in memory. */
const MOST_KEPT_AT_ONCE = 16;

export interface EventStoreOptions {
  /** Names the thread's file; unique among running threads. */
  readonly thread: string;
  /** Undefined without STATE_DIR: events do not survive a crash then. */
  readonly folder: Folder | undefined;
  readonly boot: string;
  readonly sealing: Sealing;
  readonly sinks: readonly Sink[];
  readonly deadLetters: DeadLetters;
  readonly counter: ResultsCounter;
  /** The most that the thread's undelivered events may take, in memory and, three times that, on disk. */
  readonly mostBytes: number;
  /** RESULTS_GIVE_UP_MS. */
  readonly giveUpMs: Millis;
  readonly clock: Clock;
  readonly timers: Clock;
  readonly log: Log;
  readonly random: () => number;
}

export interface OpenOptions {
  /** True for a session that another process or thread began. */
  readonly isResumed: boolean;
  /** The epoch that the fleet gave the session, if any. */
  readonly epoch?: number | undefined;
}

/** What is waiting to be delivered. */
interface Backlog {
  readonly events: number;
  readonly oldestAgeMs: Millis;
}

/** The events of a thread's sessions, from when they happen until every sink has them. */
export class EventStore {
  readonly #options: EventStoreOptions;
  readonly #sessions = new Map<string, SessionEvents>();
  readonly #spool: Spool | undefined;
  readonly #budget: Budget;
  /** Files of sessions that are being taken over. */
  readonly #taking = new Map<string, Promise<void>>();
  #keptBytes = 0;
  #isHurrying = false;
  #lostUnlogged = 0;
  #overflowLoggedAtMs: Millis = -Infinity;
  #keeping = 0;

  constructor(options: EventStoreOptions) {
    this.#options = options;
    const { folder } = options;
    this.#budget = this.#createBudget();
    this.#spool = folder && new Spool({ ...options, folder, clock: options.timers, live: this.#live });
  }

  /**
   * Opens a session's events. A resumed session continues with what an earlier process or thread left of it: under the
   * same epoch if that is all there was and the session had not ended, else under the next one. Never rejects.
   */
  async open(session: DeliveredSession, { isResumed, epoch }: OpenOptions): Promise<EventLog> {
    const found = isResumed ? await this.#found(session.sessionId) : undefined;
    const wasInterrupted = found?.isInterrupted ?? false;
    const next = wasInterrupted && !found?.isStale ? 1 : 0;
    const beginning = { epoch: Math.max(epoch ?? 1, epochAfter(found, isResumed) + next), found, wasInterrupted };
    return this.#add(session, beginning);
  }

  /**
   * Delivers what is left of a session that does not resume. Resolves when that is done. Never rejects.
   * @param reason why it ended, for its `session.ended` if it has none
   */
  async deliverRest(sessionId: string, reason: string): Promise<void> {
    if (this.#sessions.has(sessionId)) return;
    const found = await this.#found(sessionId);
    if (!found) return;
    if (this.#sinksOf(found.session).length === 0) {
      const { contactId } = found.session;
      const fields = { event: 'results.no-sink', sessionId, contactId, events: found.events.length };
      this.#options.log.warn(fields, 'nothing is configured to deliver these events to: they stay on disk');
      return;
    }
    const events = this.#add(found.session, { epoch: epochAfter(found, true), found, wasInterrupted: false });
    if (!events.hasEnded) end(events, found, reason);
    await events.drained();
  }

  /**
   * Resolves when all events are delivered or dead letters, because the process ends and its disk may be lost. Call this
   * when no session runs. Those that did not end can continue in another process. Never rejects.
   */
  async settle(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((events) => events.settled()));
    await this.#spool?.flush();
  }

  /** From now on each session gets one more attempt, and is given up if that fails. */
  hurry(): void {
    this.#isHurrying = true;
    for (const events of this.#sessions.values()) events.hurry();
  }

  get backlog(): Backlog {
    let events = 0;
    let oldestAtMs = Infinity;
    for (const session of this.#sessions.values()) {
      const { events: more, oldestAtMs: itsMs = Infinity } = session.backlog;
      events += more;
      oldestAtMs = Math.min(oldestAtMs, itsMs);
    }
    const oldestAgeMs = oldestAtMs === Infinity ? 0 : Math.max(0, this.#options.clock.now() - oldestAtMs);
    return { events, oldestAgeMs };
  }

  /** Stops delivering and closes the spool: what is left is delivered by the next process. */
  async close(): Promise<void> {
    for (const session of this.#sessions.values()) session.stop();
    await Promise.all(this.#taking.values());
    await this.#spool?.close();
    for (const sink of this.#options.sinks) sink.close();
  }

  #add(session: DeliveredSession, beginning: Beginning): SessionEvents {
    const mine = this.#sinksOf(session);
    const events = new SessionEvents(session, mine, beginning, {
      ...this.#options,
      spool: this.#spool,
      budget: this.#budget,
      onDone: (done) => this.#done(done),
    });
    if (mine.length > 0) this.#sessions.set(session.sessionId, events);
    if (beginning.found) this.#take(session.sessionId);
    if (this.#isHurrying) events.hurry();
    events.wake();
    return events;
  }

  #sinksOf({ webhook, stream }: DeliveredSession): Sink[] {
    return this.#options.sinks.filter(({ name }) => (name === 'webhook' ? webhook !== undefined : stream !== 'none'));
  }

  /** The session's own file goes when the spool has what was in it. */
  #take(sessionId: string): void {
    const { folder } = this.#options;
    if (!folder || !this.#spool) return;
    const taking = this.#spool.flush().then(() => {
      // A failing disk keeps what it has.
      return this.#spool?.isFailing ? undefined : removeSession(sessionId, { folder });
    });
    this.#taking.set(sessionId, taking);
    void taking.finally(() => this.#taking.delete(sessionId));
  }

  #done(events: SessionEvents): void {
    const { sessionId } = events.session;
    this.#sessions.delete(sessionId);
    void this.#forget(sessionId);
  }

  async #forget(sessionId: string): Promise<void> {
    await this.#taking.get(sessionId);
    this.#spool?.note(lineOf({ kind: 'done', sessionId }));
  }

  async #found(sessionId: string): Promise<RecoveredSession | undefined> {
    const { folder } = this.#options;
    return folder && readSession(sessionId, { ...this.#options, folder });
  }

  get #live(): LiveContent {
    const bytes = () => this.#keptBytes;
    return {
      get bytes() {
        return bytes();
      },
      lines: () => [...this.#sessions.values()].flatMap((session) => session.lines()),
    };
  }

  #createBudget(): Budget {
    const isFull = () => this.#keptBytes > this.#options.mostBytes;
    return {
      get isFull() {
        return isFull();
      },
      keep: (bytes) => {
        this.#keptBytes += bytes;
      },
      makeRoom: () => {
        while (isFull() && this.#dropSome() > 0);
      },
    };
  }

  /** Gives up the oldest events of the session that has the most. Returns how many. */
  #dropSome(): number {
    for (const session of [...this.#sessions.values()].sort((one, other) => other.bytes - one.bytes)) {
      const dropped = session.drop(DROP_AT_ONCE);
      if (dropped.length === 0) continue;
      void this.#keepDropped(session, dropped);
      return dropped.length;
    }
    return 0;
  }

  /** Keeps events that had to make room as dead letters, unless too many are being kept already. Never rejects. */
  async #keepDropped(session: SessionEvents, dropped: readonly QueuedEvent[]): Promise<void> {
    const { counter, deadLetters } = this.#options;
    for (const sink of session.sinks) {
      const isTooMuch = this.#keeping >= MOST_KEPT_AT_ONCE;
      this.#keeping++;
      const kept = isTooMuch ? 'failed' : await deadLetters.put({ sink, batch: batchOf(session, dropped) });
      this.#keeping--;
      if (kept === 'kept') counter.deadLetter(sink, dropped.length);
      else counter.lost(dropped.length);
      this.#noteOverflow(session, kept === 'kept' ? 0 : dropped.length);
    }
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
  const batched = events.map(({ head, type, json }) => ({ sequence: head?.sequence, type, json: json as Buffer }));
  const epoch = events[0]?.epoch ?? 1;
  const range = `${batched[0]?.sequence}-${batched.at(-1)?.sequence}`;
  return { session, epoch, id: `${session.sessionId}_${epoch}_${range}`, events: batched };
}

/** The epoch in which a session's next event is numbered. */
function epochAfter(found: RecoveredSession | undefined, isResumed: boolean): number {
  // What the first epoch said is not known.
  if (!found) return isResumed ? 2 : 1;
  const epoch = Math.max(1, found.last[0]);
  return found.isStale ? epoch + 1 : epoch;
}

/** Ends the events of a session that does not resume. */
function end(events: SessionEvents, { session, last, state = NOTHING_SAID }: RecoveredSession, reason: string): void {
  const [customerMs, agentMs] = state.finalMs;
  const startedAt = new Date(session.timeZeroEpochMs).toISOString();
  const from = { CUSTOMER: customerMs, AGENT: agentMs };
  const { contact } = session;
  if (events.epoch > Math.max(1, last[0])) {
    events.append({ type: 'session.resumed', ...(contact && { contact }), startedAt, from, cause: reason }, state);
  }
  const durationMs = Math.max(customerMs, agentMs);
  const { finals } = state;
  const counts = { durationMs, gapMs: 0, unfinishedMs: 0, finals };
  events.append({ type: 'session.ended', outcome: 'failed', reason, ...counts }, state);
}
