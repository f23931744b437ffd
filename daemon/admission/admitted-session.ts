import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import { errorFields, type Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import { type HostedOutcome, type HostedSession, type SessionHost, ThreadLost } from '../threads/host.ts';
import type { CheckpointLookup } from './checkpoint-lookup.ts';
import type { SessionEnd } from './history.ts';

/** A session that has lost this many threads may be what crashes them, so it is not resumed again. */
const MOST_THREADS = 3;

/** The session's thread, or an earlier daemon, ended, and the session cannot resume. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost';
}

/** `ending`: the call is over, waiting for Deepgram's last results. `lost`: the thread ended, resuming on another one. */
type State =
  | { readonly name: 'starting' | 'lost' | 'ended' }
  | { readonly name: 'running' | 'ending'; readonly hosted: HostedSession };

interface AdmittedSessionDeps {
  readonly host: Pick<SessionHost, 'resume'>;
  readonly log: Log;
  readonly metrics: Pick<SessionMetrics, 'sessionFailed'>;
  readonly checkpoints: Pick<Checkpoints, 'remove'> | undefined;
  readonly lookup: CheckpointLookup;
  /** True for a session of an earlier daemon: it has run before. */
  readonly isResumed: boolean;
  /** Called with the id when the session cannot resume. */
  readonly onLost?: (sessionId: string) => void;
}

/** A session from admission to end, across as many threads as it takes. */
export class AdmittedSession {
  readonly identity: SessionIdentity;
  readonly admittedAtMs: Millis;
  /** Resolves when the session runs; rejects if it fails to start. */
  readonly started: Promise<unknown>;
  /** Resolves when the session has ended and its checkpoint is removed, unless that is kept; never rejects. */
  readonly ended: Promise<SessionEnd>;
  readonly #deps: AdmittedSessionDeps;
  #state: State = { name: 'starting' };
  #threadsLost = 0;
  /** True when a drain ends the session early: the checkpoint stays for another daemon. */
  #keepsCheckpoint = false;
  /** True when its caller received an error. */
  #isAbandoned = false;

  constructor(
    identity: SessionIdentity,
    admittedAtMs: Millis,
    starting: Promise<HostedSession>,
    deps: AdmittedSessionDeps,
  ) {
    this.identity = identity;
    this.admittedAtMs = admittedAtMs;
    this.started = starting;
    this.#deps = deps;
    this.ended = this.#run(starting);
  }

  get isRunning(): boolean {
    return this.#state.name === 'running' || this.#state.name === 'ending';
  }

  /** True once the call has ended, or its start was given up: an identical start is a new session. */
  get isOver(): boolean {
    return this.#isAbandoned || this.#state.name === 'ending' || this.#state.name === 'ended';
  }

  /** Ends the session before the call ends. Resolves with undefined if it is not running. */
  async stop(): Promise<HostedOutcome | undefined> {
    if (!('hosted' in this.#state)) return undefined;
    const { hosted } = this.#state;
    hosted.stop({ keepCheckpoint: false });
    return hosted.ended;
  }

  /** Ends the session early, or as soon as it has started, and keeps its checkpoint. */
  release(): void {
    this.#keepsCheckpoint = true;
    if ('hosted' in this.#state) this.#state.hosted.stop({ keepCheckpoint: true });
  }

  /** Ends the session as soon as it has started, because its caller received an error. */
  abandon(): void {
    this.#isAbandoned = true;
    void this.stop();
  }

  async #run(starting: Promise<HostedSession>): Promise<SessionEnd> {
    const end = await this.#end(starting);
    this.#state = { name: 'ended' };
    // The session's thread has removed its copy; this thread may have loaded one.
    if (!this.#keepsCheckpoint || this.#isAbandoned) await this.#deps.checkpoints?.remove(this.identity.sessionId);
    return end;
  }

  async #end(starting: Promise<HostedSession>): Promise<SessionEnd> {
    let end: SessionEnd | undefined;
    try {
      let hosted: HostedSession | undefined = await starting;
      while (hosted) {
        end = await this.#follow(hosted);
        hosted = end.name === 'lost' ? await this.#resume() : undefined;
      }
    } catch (error) {
      // `started` rejects with this error; a host that gives up resuming logs it.
      if (!end && !this.#deps.isResumed) return { name: 'not-started', error };
      this.#deps.metrics.sessionFailed(error);
      return { name: 'failed', error: errorFields(error) };
    }
    return end ?? { name: 'lost' };
  }

  #follow(hosted: HostedSession): Promise<HostedOutcome> {
    const running: State = { name: 'running', hosted };
    this.#state = running;
    void hosted.ending.then(() => {
      if (this.#state === running) this.#state = { name: 'ending', hosted };
    });
    if (this.#isAbandoned) hosted.stop({ keepCheckpoint: false });
    else if (this.#keepsCheckpoint) hosted.stop({ keepCheckpoint: true });
    return hosted.ended;
  }

  /** Resumes the session on another thread, from its checkpoint. Resolves with undefined if it cannot resume. */
  async #resume(): Promise<HostedSession | undefined> {
    const { host, lookup } = this.#deps;
    this.#state = { name: 'lost' };
    while (!this.#keepsCheckpoint) {
      this.#threadsLost++;
      const mayTry = this.#threadsLost < MOST_THREADS;
      const checkpoint = mayTry ? await lookup.find(this.identity.sessionId) : undefined;
      if (!checkpoint) {
        this.#reportLost(mayTry ? 'no-checkpoint' : 'too-many-threads');
        return undefined;
      }
      try {
        return await host.resume(checkpoint);
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error;
      }
    }
    return undefined;
  }

  #reportLost(why: 'no-checkpoint' | 'too-many-threads'): void {
    const { log, metrics, onLost } = this.#deps;
    const { sessionId, traceId, request } = this.identity;
    const fields = { event: 'session.lost', why, sessionId, contactId: request.contactId, traceId };
    log.error(fields, 'the session lost its thread and cannot resume: the rest of the call is not transcribed');
    metrics.sessionFailed(new SessionLost(why));
    onLost?.(sessionId);
  }
}
