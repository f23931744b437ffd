import { randomUUID } from 'node:crypto';
import type { Millis } from '../clock.ts';
import type { StartRequest } from './request.ts';
import { Session, type SessionDeps, type SessionView } from './session.ts';

/** No session is taken here now; another instance, or a later try, may take it. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom';
  /** `full` or `draining`. */
  readonly reason: 'full' | 'draining';

  constructor(reason: 'full' | 'draining', message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Kinesis or Deepgram had not answered when the caller's patience was over; nothing was left running. */
export class StartTimedOut extends Error {
  override readonly name = 'StartTimedOut';
}

export interface Started {
  readonly sessionId: string;
  readonly contactId: string;
  readonly status: 'started' | 'already-running';
}

/** A session from the moment it is admitted: while it starts there is only the promise of it. */
interface Entry {
  readonly sessionId: string;
  readonly starting: Promise<Session>;
  session: Session | undefined;
}

/** The sessions of this daemon: admission, one session per contact, and their end. */
export class SessionManager {
  readonly #deps: SessionDeps;
  readonly #maxSessions: number;
  readonly #entries = new Map<string, Entry>();
  /** The session that a second start of the same contact is answered with. */
  readonly #byContact = new Map<string, Entry>();
  #draining = false;

  constructor(deps: SessionDeps, maxSessions: number) {
    this.#deps = deps;
    this.#maxSessions = maxSessions;
  }

  /** Why no start is taken now; undefined when one is. */
  get noRoom(): 'full' | 'draining' | undefined {
    if (this.#draining) return 'draining';
    return this.#entries.size >= this.#maxSessions ? 'full' : undefined;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Sessions that run, oldest first. */
  views(): SessionView[] {
    return [...this.#entries.values()].flatMap(({ session }) => (session ? [session.view()] : []));
  }

  /**
   * Starts a session, or finds the one that transcribes the contact already; load tests (enforceRealtime) always get
   * their own. Throws NoRoom, StartTimedOut, KinesisRefused, DeepgramRefused or DeepgramUnreachable.
   */
  async start(request: StartRequest, timeoutMs: Millis): Promise<Started> {
    const { contactId, enforceRealtime } = request;
    const running = enforceRealtime ? undefined : this.#byContact.get(contactId);
    if (running) {
      await running.starting;
      return { sessionId: running.sessionId, contactId, status: 'already-running' };
    }
    const { noRoom } = this;
    if (noRoom === 'full') throw new NoRoom('full', `All ${this.#maxSessions} sessions are taken`);
    if (noRoom) throw new NoRoom(noRoom, 'This integrator is draining and takes no new session');
    const { sessionId, starting } = this.#admit(request, timeoutMs);
    await starting;
    return { sessionId, contactId, status: 'started' };
  }

  /** Takes no more starts and resolves when the last session is over. */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#entries.size > 0) {
      await Promise.allSettled([...this.#entries.values()].map(async ({ starting }) => (await starting).ended));
    }
  }

  /** Ends every session that runs; what was read is sent, and Deepgram's last results are awaited. */
  stopAll(): void {
    for (const { session } of this.#entries.values()) session?.stop();
  }

  #admit(request: StartRequest, timeoutMs: Millis): Entry {
    const sessionId = randomUUID();
    const timeout = new StartTimedOut(`Kinesis Video and Deepgram had not both answered within ${timeoutMs} ms`);
    const entry: Entry = {
      sessionId,
      starting: startWithin(timeoutMs, timeout, sessionId, request, this.#deps),
      session: undefined,
    };
    this.#entries.set(sessionId, entry);
    if (!request.enforceRealtime) this.#byContact.set(request.contactId, entry);
    void this.#follow(entry, request.contactId);
    return entry;
  }

  /** Keeps the entry for as long as its session lasts. */
  async #follow(entry: Entry, contactId: string): Promise<void> {
    try {
      entry.session = await entry.starting;
      await entry.session.ended;
    } catch {
      // The start failed: whoever asked for it has the error.
    } finally {
      this.#entries.delete(entry.sessionId);
      if (this.#byContact.get(contactId) === entry) this.#byContact.delete(contactId);
    }
  }
}

async function startWithin(
  timeoutMs: Millis,
  timeout: StartTimedOut,
  sessionId: string,
  request: StartRequest,
  deps: SessionDeps,
): Promise<Session> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(timeout), timeoutMs);
  try {
    return await Session.start(sessionId, request, deps, patience.signal);
  } finally {
    clearTimeout(timer);
  }
}
