import type { Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Sealing } from '../secrets/sealing.ts';
import type { DeadLetters } from './dead-letters/dead-letters.ts';
import { type EventLog, NOTHING_SAID } from './event-log.ts';
import type { ResultsCounter } from './results-counter.ts';
import { Room } from './room.ts';
import { type Beginning, SessionEvents } from './session-events.ts';
import type { Sink } from './sink.ts';
import type { Folder } from './spool/folder.ts';
import { Marks } from './spool/marks.ts';
import type { RecoveredSession } from './spool/merged.ts';
import { type DeliveredSession, lineOf } from './spool/record.ts';
import { type Remains, SessionReader } from './spool/session-reader.ts';
import { type LiveContent, Spool } from './spool/spool.ts';
import { TakeOvers } from './take-overs.ts';

export interface EventStoreOptions {
  /** Names the thread's file; unique among running threads. */
  readonly thread: string;
  /** Names the process in its files. */
  readonly process: string;
  /** Undefined without STATE_DIR: events do not survive a crash then. */
  readonly folder: Folder | undefined;
  /** Takes marks that the folder does not take; undefined outside of systemd. */
  readonly runtime: Folder | undefined;
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
  readonly #room: Room;
  readonly #reader: SessionReader | undefined;
  readonly #takeOvers: TakeOvers | undefined;
  #isHurrying = false;

  constructor(options: EventStoreOptions) {
    this.#options = options;
    const { folder, runtime, timers } = options;
    const flush = async () => this.#spool?.flush();
    this.#room = new Room({ ...options, sessions: () => this.#sessions.values(), flush });
    if (!folder) return;
    const marks = new Marks(folder, runtime);
    const spool = new Spool({ ...options, folder, marks, clock: timers, live: this.#live });
    this.#spool = spool;
    this.#reader = new SessionReader({ ...options, folder, marks });
    this.#takeOvers = new TakeOvers({ folder, marks, spool });
  }

  /**
   * Opens a session's events. A resumed session continues with what an earlier process or thread left of it: under the
   * same epoch if that is all there was and the session had not ended, else under the next one. Never rejects.
   */
  async open(session: DeliveredSession, { isResumed, epoch }: OpenOptions): Promise<EventLog> {
    const remains = isResumed ? await this.#reader?.read(session.sessionId) : undefined;
    const found = remains?.found;
    const wasInterrupted = found?.isInterrupted ?? false;
    const next = wasInterrupted && !found?.isStale ? 1 : 0;
    const after = epochAfter(remains, isResumed) + next;
    return this.#add(session, { epoch: Math.max(epoch ?? 1, after), found, wasInterrupted }, remains);
  }

  /**
   * Delivers what is left of a session that does not resume. Resolves when that is done. Never rejects.
   * @param reason why it ended, for its `session.ended` if it has none
   */
  async deliverRest(sessionId: string, reason: string): Promise<void> {
    if (this.#sessions.has(sessionId)) return;
    const remains = await this.#reader?.read(sessionId);
    const found = remains?.found;
    if (!found) {
      // Of a session that nobody resumes they say nothing.
      if (remains) await this.#reader?.removeMarks(remains);
      return;
    }
    if (this.#sinksOf(found.session).length === 0) {
      const { contactId } = found.session;
      const fields = { event: 'results.no-sink', sessionId, contactId, events: found.events.length };
      this.#options.log.warn(fields, 'nothing is configured to deliver these events to: they stay on disk');
      return;
    }
    const beginning = { epoch: epochAfter(remains, true), found, wasInterrupted: false };
    const events = this.#add(found.session, beginning, remains);
    if (!events.hasEnded) end(events, found, reason);
    await events.drained();
  }

  /**
   * Resolves when all events are delivered or dead letters, because the process ends and its disk may be lost. Call this
   * when no session runs. Those that did not end can continue in another process. Never rejects.
   */
  async settle(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((events) => events.settled()));
    await this.#room.settled();
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
    await this.#takeOvers?.settled();
    await this.#spool?.close();
    for (const sink of this.#options.sinks) sink.close();
  }

  /** @param remains what was left of a session that is continued */
  #add(session: DeliveredSession, beginning: Beginning, remains: Remains | undefined): SessionEvents {
    const mine = this.#sinksOf(session);
    const events = new SessionEvents(session, mine, beginning, {
      ...this.#options,
      spool: this.#spool,
      budget: this.#room,
      onDone: (done) => this.#done(done),
    });
    if (mine.length > 0) {
      this.#sessions.set(session.sessionId, events);
      if (remains) this.#takeOvers?.add(session.sessionId, beginning.epoch, remains);
    }
    if (this.#isHurrying) events.hurry();
    events.wake();
    return events;
  }

  #sinksOf({ webhook, stream }: DeliveredSession): Sink[] {
    return this.#options.sinks.filter(({ name }) => (name === 'webhook' ? webhook !== undefined : stream !== 'none'));
  }

  #done(events: SessionEvents): void {
    const { sessionId } = events.session;
    this.#sessions.delete(sessionId);
    void this.#forget(sessionId);
  }

  async #forget(sessionId: string): Promise<void> {
    await this.#takeOvers?.finish(sessionId);
    this.#spool?.note(lineOf({ kind: 'done', sessionId }));
  }

  get #live(): LiveContent {
    const bytes = () => this.#room.bytes + (this.#takeOvers?.bytes ?? 0);
    return {
      get bytes() {
        return bytes();
      },
      lines: () => [
        ...[...this.#sessions.values()].flatMap((session) => session.lines()),
        ...(this.#takeOvers?.lines() ?? []),
      ],
      failing: async () => this.#takeOvers?.failing(),
      recovered: () => this.#takeOvers?.recovered(),
    };
  }
}

/** The epoch in which a session's next event is numbered. */
function epochAfter(remains: Remains | undefined, isResumed: boolean): number {
  const { found, usedEpoch = 0 } = remains ?? {};
  // What the first epoch said is not known.
  if (!found) return Math.max(isResumed ? 2 : 1, usedEpoch + 1);
  const epoch = Math.max(1, found.last[0]);
  return Math.max(found.isStale ? epoch + 1 : epoch, usedEpoch + 1);
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
