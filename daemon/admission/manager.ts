import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Checkpoint, SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import type { StartRequest } from '../contract/start-request.ts';
import { newTraceId, type TraceId } from '../contract/traceparent.ts';
import type { Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { NewSession } from '../session/seed.ts';
import { type HostedOutcome, type HostedSession, type SessionHost, ThreadLost } from '../threads/host.ts';
import { Admission, AtCapacity } from './admission.ts';
import { Drain } from './drain.ts';

/** A session that has taken so many threads with it, or was there when they fell, is not tried on another one. */
const MOST_THREADS = 3;

export interface Started {
  readonly sessionId: string;
  readonly contactId: string;
  readonly status: 'started' | 'already-running';
}

/** The thread that hosted the session ended, and it could not go on on another. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost';
}

/** What the manager needs of the daemon around it. */
export interface ManagerDeps {
  readonly host: SessionHost;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<SessionMetrics, 'sessionFailed'>;
  /** Where sessions are kept for the case of a crash; undefined without STATE_DIR. */
  readonly checkpoints: Checkpoints | undefined;
}

/** A session from the moment it is admitted: while it starts there is only the promise of it. */
interface Entry {
  readonly sessionId: string;
  readonly identity: SessionIdentity;
  readonly admittedAtMs: Millis;
  readonly starting: Promise<HostedSession>;
  session: HostedSession | undefined;
  /** Whether the call is over, and only Deepgram's last results are awaited. */
  isEnding: boolean;
  /** Whether it is ended before its time, and another daemon may go on with it. */
  keepsCheckpoint: boolean;
}

/** The sessions of this daemon: admission, one session per contact, and their end. */
export class SessionManager {
  readonly admission: Admission;
  readonly #deps: ManagerDeps;
  readonly #entries = new Map<string, Entry>();
  /** The session that a second start of the same contact is answered with. */
  readonly #byContact = new Map<string, Entry>();
  /** Sessions whose checkpoints are to be looked up, and what that gives. */
  #wanted: Set<string> | undefined;
  #left: Promise<readonly Checkpoint[]> = Promise.resolve([]);

  /** @param settings MAX_SESSIONS and HEALTH_LAG_MS */
  constructor(deps: ManagerDeps, { maxSessions, healthLagMs }: { maxSessions: number; healthLagMs: Millis }) {
    this.#deps = deps;
    const sessions = {
      size: () => this.#entries.size,
      longestCallMs: () => this.#longestCallMs(),
      endRemaining: () => this.#endRemaining(),
    };
    const drain = new Drain(sessions, deps.clock, deps.log, healthLagMs);
    this.admission = new Admission(maxSessions, drain, deps.clock);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Sessions that run, oldest first. */
  async views(): Promise<SessionView[]> {
    const views = await this.#deps.host.views();
    return views.sort((one, other) => other.ageMs - one.ageMs);
  }

  /** All that may be known of the session of that id; undefined when there is none, or it is only starting. */
  async details(sessionId: string): Promise<SessionDetails | undefined> {
    return this.#entries.has(sessionId) ? this.#deps.host.details(sessionId) : undefined;
  }

  /** Ends the session of that id and gives how it ended; undefined when there is none, or it is only starting. */
  async stop(sessionId: string): Promise<HostedOutcome | undefined> {
    const session = this.#entries.get(sessionId)?.session;
    session?.stop({ keepCheckpoint: false });
    return session?.ended;
  }

  /**
   * Starts a session, or finds the one that transcribes the contact already; load tests (enforceRealtime) always get
   * their own. Throws AtCapacity, or as SessionHost does.
   */
  async start(request: StartRequest, timeoutMs: Millis, traceId: TraceId = newTraceId()): Promise<Started> {
    const { contactId, enforceRealtime } = request;
    const running = enforceRealtime ? undefined : this.#byContact.get(contactId);
    if (running && !running.isEnding) {
      await running.starting;
      return { sessionId: running.sessionId, contactId, status: 'already-running' };
    }
    const refusal = this.admission.refusal(this.size);
    if (refusal) throw new AtCapacity(refusal);
    const seed: NewSession = { kind: 'new', sessionId: randomUUID(), traceId, request };
    await this.#admit(seed, this.#deps.host.start(seed, timeoutMs)).starting;
    return { sessionId: seed.sessionId, contactId, status: 'started' };
  }

  /** Goes on with the sessions that an earlier daemon left when it was killed. Resolves when all have been looked at. */
  async resume(): Promise<void> {
    for (const checkpoint of (await this.#deps.checkpoints?.load()) ?? []) {
      this.#admit(checkpoint, this.#deps.host.resume(checkpoint));
    }
  }

  #longestCallMs(): Millis {
    let oldestAtMs = this.#deps.clock.now();
    for (const { session, admittedAtMs } of this.#entries.values()) {
      if (session) oldestAtMs = Math.min(oldestAtMs, admittedAtMs);
    }
    return this.#deps.clock.now() - oldestAtMs;
  }

  /** Ends every session that runs: what was read is sent, Deepgram's last results are awaited, the checkpoints stay. */
  #endRemaining(): void {
    for (const entry of this.#entries.values()) {
      entry.keepsCheckpoint = true;
      entry.session?.stop({ keepCheckpoint: true });
    }
  }

  #admit(identity: SessionIdentity, starting: Promise<HostedSession>): Entry {
    const { sessionId, request } = identity;
    const admittedAtMs = this.#deps.clock.now();
    const entry: Entry = {
      sessionId,
      identity,
      admittedAtMs,
      starting,
      session: undefined,
      isEnding: false,
      keepsCheckpoint: false,
    };
    this.#entries.set(sessionId, entry);
    if (!request.enforceRealtime) this.#byContact.set(request.contactId, entry);
    void this.#follow(entry);
    return entry;
  }

  /** Keeps the entry for as long as its session lasts, on however many threads. */
  async #follow(entry: Entry): Promise<void> {
    const { contactId } = entry.identity.request;
    try {
      let session: HostedSession | undefined = await entry.starting;
      for (let threads = 1; session; threads++) {
        entry.session = session;
        if (entry.keepsCheckpoint) session.stop({ keepCheckpoint: true });
        void session.ending.then(() => {
          entry.isEnding = true;
        });
        const outcome: HostedOutcome = await session.ended;
        session = outcome.name === 'lost' ? await this.#goOn(entry, threads) : undefined;
      }
    } catch {
      // The start failed: whoever asked for it has the error.
    } finally {
      // The thread that ran it has let go of it too; this one may have loaded it.
      if (!entry.keepsCheckpoint) await this.#deps.checkpoints?.remove(entry.sessionId);
      this.#entries.delete(entry.sessionId);
      if (this.#byContact.get(contactId) === entry) this.#byContact.delete(contactId);
      this.admission.drain.check();
    }
  }

  /** The session on another thread, from its checkpoint; undefined, and said so, when it cannot go on. */
  async #goOn(entry: Entry, threads: number): Promise<HostedSession | undefined> {
    const { host, log, metrics } = this.#deps;
    const { sessionId, identity, keepsCheckpoint } = entry;
    entry.session = undefined;
    // A drain has given it up already: another daemon goes on with it.
    if (keepsCheckpoint) return undefined;
    const checkpoint = threads < MOST_THREADS ? await this.#checkpointOf(sessionId) : undefined;
    if (checkpoint) {
      try {
        return await host.resume(checkpoint);
      } catch (error) {
        if (error instanceof ThreadLost) return this.#goOn(entry, threads + 1);
        throw error;
      }
    }
    const { traceId, request } = identity;
    const why = threads < MOST_THREADS ? 'no-checkpoint' : 'too-many-threads';
    const fields = { event: 'session.lost', why, sessionId, contactId: request.contactId, traceId };
    log.error(fields, 'the thread that hosted the session ended: the rest of the call is lost');
    metrics.sessionFailed(new SessionLost(why));
    return undefined;
  }

  /** What its thread left of a session: all that ask for theirs in one turn, as those of a thread do, are looked up at once. */
  async #checkpointOf(sessionId: string): Promise<Checkpoint | undefined> {
    const wanted = this.#wanted ?? new Set();
    wanted.add(sessionId);
    if (!this.#wanted) {
      this.#wanted = wanted;
      this.#left = nextTurn().then(() => {
        this.#wanted = undefined;
        return this.#deps.checkpoints?.load(wanted) ?? [];
      });
    }
    return (await this.#left).find((checkpoint) => checkpoint.sessionId === sessionId);
  }
}
