import { randomUUID } from 'node:crypto';
import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import type { DeadSession } from '../checkpoints/recovery.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import type { StartRequest } from '../contract/start-request.ts';
import { newTraceId, type TraceId } from '../contract/traceparent.ts';
import type { Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import { orAborted } from '../runtime/abort.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { type NewSession, timeZeroOf } from '../session/seed.ts';
import { type HostedOutcome, type HostedSession, type SessionHost, StartTimedOut } from '../threads/host.ts';
import { Admission, AtCapacity } from './admission.ts';
import { AdmittedSession, SessionLost } from './admitted-session.ts';
import { CheckpointLookup } from './checkpoint-lookup.ts';
import { Drain } from './drain.ts';
import { SessionHistory } from './history.ts';
import type { Cordon, DrainRecord, OrderStore } from './orders.ts';
import { CutOff, Reach, type ReachOptions } from './reach.ts';
import { sessionKey } from './session-key.ts';

export interface Started {
  readonly sessionId: string;
  readonly contactId: string;
  readonly status: 'started' | 'already-running';
}

/** What the manager needs from the rest of the daemon. */
interface ManagerDeps {
  readonly host: SessionHost;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<SessionMetrics, 'sessionFailed'>;
  /** Undefined without STATE_DIR. */
  readonly checkpoints: Pick<Checkpoints, 'load' | 'remove'> | undefined;
  /** Called with a session that lost its thread and cannot resume. */
  readonly onLost?: (sessionId: string) => void;
  /** Undefined without STATE_DIR. */
  readonly drainStore?: OrderStore<DrainRecord> | undefined;
  readonly cordonStore?: OrderStore<Cordon> | undefined;
  /** Connects to Deepgram and Kinesis Video: see Reach. */
  readonly probe: ReachOptions['probe'];
}

/** The registry of this daemon's sessions: admits them, one per set of identical starts, and removes them when they end. */
export class SessionManager {
  readonly admission: Admission;
  /** The sessions that have ended. */
  readonly history: SessionHistory;
  readonly #deps: ManagerDeps;
  readonly #lookup: CheckpointLookup;
  readonly #reach: Reach;
  readonly #sessions = new Map<string, AdmittedSession>();
  /** By session key: the session that an identical start returns. */
  readonly #byKey = new Map<string, AdmittedSession>();

  /** @param settings MAX_SESSIONS and HEALTH_LAG_MS */
  constructor(deps: ManagerDeps, { maxSessions, healthLagMs }: { maxSessions: number; healthLagMs: Millis }) {
    this.#deps = deps;
    this.history = new SessionHistory(deps.clock);
    this.#lookup = new CheckpointLookup(deps.checkpoints);
    const sessions = {
      size: () => this.#sessions.size,
      longestCallMs: () => this.#longestCallMs(),
      endRemaining: () => this.#endRemaining(),
      mayBeSent: () => this.admission.mayBeSent,
    };
    const drain = new Drain(sessions, deps.clock, deps.log, healthLagMs, deps.drainStore);
    this.#reach = new Reach(deps);
    const { clock, cordonStore } = deps;
    this.admission = new Admission({ maxSessions, healthLagMs, drain, reach: this.#reach, clock, cordonStore });
  }

  /** True while the session starts, runs, or moves to another thread. */
  has(sessionId: string): boolean {
    return this.#sessions.has(sessionId);
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Running sessions, oldest first. */
  async views(): Promise<SessionView[]> {
    const views = await this.#deps.host.views();
    return views.sort((one, other) => other.ageMs - one.ageMs);
  }

  /** The session's parameters (masked) and timeline; undefined if there is no such session or it is still starting. */
  async details(sessionId: string): Promise<SessionDetails | undefined> {
    return this.#sessions.has(sessionId) ? this.#deps.host.details(sessionId) : undefined;
  }

  /** Ends the session and returns its outcome; undefined if there is no such session or it is still starting. */
  async stop(sessionId: string): Promise<HostedOutcome | undefined> {
    return this.#sessions.get(sessionId)?.stop();
  }

  /**
   * Starts a session, or returns the running one if the start is identical; load tests (enforceRealtime) always get their
   * own. Throws AtCapacity, CutOff, and what SessionHost.start throws.
   */
  async start(request: StartRequest, timeoutMs: Millis, traceId: TraceId = newTraceId()): Promise<Started> {
    const { clock, host } = this.#deps;
    this.admission.requestArrived();
    const deadlineMs = clock.now() + timeoutMs;
    const { contactId } = request;
    for (let twin = this.#twinOf(request); twin; twin = this.#twinOf(request)) {
      if (!twin.isRunning) this.#requireReach();
      if (!(await this.#isStarted(twin, deadlineMs))) continue;
      return { sessionId: twin.identity.sessionId, contactId, status: 'already-running' };
    }
    const refusal = this.admission.refusal(this.size);
    if (refusal) throw new AtCapacity(refusal);
    this.#requireReach();
    const timeZeroEpochMs = timeZeroOf(request, clock.epoch());
    const seed: NewSession = { kind: 'new', sessionId: randomUUID(), traceId, request, timeZeroEpochMs };
    const session = this.#admit(seed, host.start(seed, Math.ceil(deadlineMs - clock.now())));
    this.admission.started(this.size);
    await this.#reach.follow(session.started, () => session.abandon());
    return { sessionId: seed.sessionId, contactId, status: 'started' };
  }

  /** Resumes the sessions of a daemon that was killed. Resolves once all are admitted, before they run. */
  async resume(): Promise<void> {
    const { checkpoints, host } = this.#deps;
    const onDead = (dead: DeadSession) => this.#endDead(dead);
    for (const checkpoint of (await checkpoints?.load(undefined, onDead)) ?? []) {
      this.#admit(checkpoint, host.resume(checkpoint), true);
    }
  }

  /** A session of an earlier daemon cannot resume: it ends here, as failed. */
  #endDead({ sessionId, why, identity }: DeadSession): void {
    const { log, metrics } = this.#deps;
    const { traceId, request } = identity ?? {};
    const fields = { event: 'session.lost', why, sessionId, contactId: request?.contactId, traceId };
    log.error(fields, 'a session of an earlier daemon cannot resume: the rest of the call is not transcribed');
    metrics.sessionFailed(new SessionLost(why));
    if (identity) this.history.add(identity, { name: 'not-resumed', why });
  }

  #requireReach(): void {
    if (this.#reach.cutOff) throw this.#reach.cutOff;
  }

  /** The session of an identical start, unless its call has ended. */
  #twinOf(request: StartRequest): AdmittedSession | undefined {
    const twin = request.enforceRealtime ? undefined : this.#byKey.get(sessionKey(request));
    return twin?.isOver ? undefined : twin;
  }

  /** Waits until the session runs; false if it fails to start, which another start need not. Throws StartTimedOut. */
  async #isStarted(session: AdmittedSession, deadlineMs: Millis): Promise<boolean> {
    if (session.isRunning) return true;
    const { clock } = this.#deps;
    const timeout = clock.timeout(Math.max(0, Math.ceil(deadlineMs - clock.now())));
    try {
      await this.#reach.follow(orAborted(session.started, timeout), () => {});
      return true;
    } catch (error) {
      if (error instanceof CutOff) throw error;
      if (timeout.aborted) throw new StartTimedOut('An identical start did not finish in time');
      return false;
    }
  }

  #longestCallMs(): Millis {
    const nowMs = this.#deps.clock.now();
    const running = [...this.#sessions.values()].filter(({ isRunning }) => isRunning);
    return running.reduce((longestMs, { admittedAtMs }) => Math.max(longestMs, nowMs - admittedAtMs), 0);
  }

  /** Ends all sessions cleanly: sends what was read, waits for Deepgram's last results, keeps the checkpoints. */
  #endRemaining(): void {
    for (const session of this.#sessions.values()) session.release();
  }

  #admit(identity: SessionIdentity, starting: Promise<HostedSession>, isResumed = false): AdmittedSession {
    const session = new AdmittedSession(identity, this.#deps.clock.now(), starting, {
      ...this.#deps,
      lookup: this.#lookup,
      isResumed,
    });
    this.#sessions.set(identity.sessionId, session);
    if (!identity.request.enforceRealtime) this.#byKey.set(sessionKey(identity.request), session);
    void session.ended.then((end) => {
      this.#remove(session);
      this.history.add(identity, end);
    });
    return session;
  }

  #remove(session: AdmittedSession): void {
    const { sessionId, request } = session.identity;
    this.#sessions.delete(sessionId);
    const key = sessionKey(request);
    if (this.#byKey.get(key) === session) this.#byKey.delete(key);
    this.admission.ended(this.size);
    this.admission.drain.check();
  }
}
