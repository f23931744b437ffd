import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '../clock.ts';
import { errorFields } from '../observe/log.ts';
import { newTraceId, type TraceId } from '../observe/trace.ts';
import { Admission, NoRoom } from './admission.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { SessionDeps } from './deps.ts';
import { Drain } from './drain.ts';
import type { StartRequest } from './request.ts';
import { Session } from './session.ts';
import type { SessionView } from './view.ts';

/** A session that goes on after a crash is tried so long at a time, and so often. */
const RESUME_TIMEOUT_MS: Millis = 6000;
const RESUME_AGAIN_MS: Millis = 1000;

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
  /** Whether it is ended before its time, and another daemon may go on with it. */
  keepsCheckpoint: boolean;
}

/** The sessions of this daemon: admission, one session per contact, and their end. */
export class SessionManager {
  readonly admission: Admission;
  readonly #deps: SessionDeps;
  readonly #entries = new Map<string, Entry>();
  /** The session that a second start of the same contact is answered with. */
  readonly #byContact = new Map<string, Entry>();

  /** @param settings MAX_SESSIONS and HEALTH_LAG_MS */
  constructor(deps: SessionDeps, { maxSessions, healthLagMs }: { maxSessions: number; healthLagMs: Millis }) {
    this.#deps = deps;
    const drained = {
      size: () => this.#entries.size,
      longestCallMs: () => Math.max(0, ...this.views().map(({ ageMs }) => ageMs)),
      endRest: () => this.#endRest(),
    };
    const drain = new Drain(drained, deps.clock, deps.log, healthLagMs);
    this.admission = new Admission(maxSessions, drain, deps.clock);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Sessions that run, oldest first. */
  views(): SessionView[] {
    return [...this.#entries.values()].flatMap(({ session }) => (session ? [session.view()] : []));
  }

  /** The session of that id that runs; undefined when there is none, or it is only starting. */
  session(sessionId: string): Session | undefined {
    return this.#entries.get(sessionId)?.session;
  }

  /**
   * Starts a session, or finds the one that transcribes the contact already; load tests (enforceRealtime) always get
   * their own. Throws NoRoom, StartTimedOut, KinesisRefused, DeepgramRefused or DeepgramUnreachable.
   */
  async start(request: StartRequest, timeoutMs: Millis, traceId: TraceId = newTraceId()): Promise<Started> {
    const { contactId, enforceRealtime } = request;
    const running = enforceRealtime ? undefined : this.#byContact.get(contactId);
    if (running && running.session?.state !== 'ending') {
      await running.starting;
      return { sessionId: running.sessionId, contactId, status: 'already-running' };
    }
    const refusal = this.admission.refusal(this.size);
    if (refusal) throw new NoRoom(refusal);
    const { sessionId, starting } = this.#admit(beginningOf(request, traceId), (beginning) =>
      startWithin(timeoutMs, beginning, this.#deps),
    );
    await starting;
    return { sessionId, contactId, status: 'started' };
  }

  /** Goes on with the sessions that an earlier daemon left when it was killed. Resolves when all have been looked at. */
  async resume(): Promise<void> {
    const { checkpoints, clock } = this.#deps;
    for (const checkpoint of (await checkpoints?.load()) ?? []) {
      const giveUpAtMs = clock.now() + this.#deps.settings.deepgramGiveUpMs;
      this.#admit(checkpoint, (beginning) => resumeUntil(giveUpAtMs, beginning, this.#deps));
    }
  }

  /** Ends every session that runs: what was read is sent, Deepgram's last results are awaited, the checkpoints stay. */
  #endRest(): void {
    for (const entry of this.#entries.values()) {
      entry.keepsCheckpoint = true;
      entry.session?.stop();
    }
  }

  #admit(beginning: Checkpoint, start: (beginning: Checkpoint) => Promise<Session>): Entry {
    const { sessionId, request } = beginning;
    const entry: Entry = { sessionId, starting: start(beginning), session: undefined, keepsCheckpoint: false };
    this.#entries.set(sessionId, entry);
    if (!request.enforceRealtime) this.#byContact.set(request.contactId, entry);
    void this.#follow(entry, request.contactId);
    return entry;
  }

  /** Keeps the entry for as long as its session lasts. */
  async #follow(entry: Entry, contactId: string): Promise<void> {
    try {
      entry.session = await entry.starting;
      if (entry.keepsCheckpoint) entry.session.stop();
      await entry.session.ended;
    } catch {
      // The start failed: whoever asked for it has the error.
    } finally {
      if (!entry.keepsCheckpoint) await this.#deps.checkpoints?.remove(entry.sessionId);
      this.#entries.delete(entry.sessionId);
      if (this.#byContact.get(contactId) === entry) this.#byContact.delete(contactId);
      this.admission.drain.check();
    }
  }
}

/** A session that has nothing behind it yet. */
function beginningOf(request: StartRequest, traceId: TraceId): Checkpoint {
  return {
    sessionId: randomUUID(),
    traceId,
    request,
    position: { fragmentNumber: request.kvsStream.startFragmentNumber },
    callClock: undefined,
    callMs: 0,
    connections: 0,
    savedAtEpochMs: 0,
  };
}

async function startWithin(timeoutMs: Millis, beginning: Checkpoint, deps: SessionDeps): Promise<Session> {
  const patience = new AbortController();
  const timeout = new StartTimedOut(`Kinesis Video and Deepgram had not both answered within ${timeoutMs} ms`);
  const timer = setTimeout(() => patience.abort(timeout), timeoutMs);
  try {
    return await Session.start(beginning, deps, patience.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Tries for as long as trying makes sense: nobody else will start this session again. */
async function resumeUntil(giveUpAtMs: Millis, beginning: Checkpoint, deps: SessionDeps): Promise<Session> {
  const { sessionId, traceId, request } = beginning;
  const log = deps.log.child({ sessionId, contactId: request.contactId, traceId });
  for (;;) {
    try {
      return await startWithin(RESUME_TIMEOUT_MS, beginning, deps);
    } catch (error) {
      const passes = !('retryable' in (error as object)) || (error as { retryable: boolean }).retryable;
      const isOver = !passes || deps.clock.now() > giveUpAtMs;
      const fields = { event: 'session.not-resumed', ...errorFields(error) };
      log.warn(fields, isOver ? 'the session cannot go on: the rest of the call is lost' : 'tries again');
      if (isOver) throw error;
      await sleep(RESUME_AGAIN_MS);
    }
  }
}
