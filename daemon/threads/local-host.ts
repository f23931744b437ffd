import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import { KinesisRefused } from '../kinesis/refusal.ts';
import { errorFields } from '../log/log.ts';
import type { Results } from '../results/results.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Millis } from '../runtime/clock.ts';
import type { EventsOpener, SessionDeps } from '../session/deps.ts';
import { identityOf, type NewSession, type SessionSeed } from '../session/seed.ts';
import { Session } from '../session/session.ts';
import { type HostedOutcome, type HostedSession, type SessionHost, StartTimedOut, type StopOptions } from './host.ts';

/** How long one attempt to resume may take; there is no caller to set a deadline. */
const RESUME_TIMEOUT_MS: Millis = 6000;
const RESUME_RETRY_MS: Millis = 1000;

/** A session, as its host sees it. */
export type RunningSession = Pick<Session, 'sessionId' | 'ending' | 'ended' | 'stop' | 'lagMs' | 'view' | 'details'>;
/** What a host needs for its sessions, and for the events of sessions that cannot resume. */
export interface HostDeps extends SessionDeps {
  readonly results: EventsOpener & Pick<Results, 'deliverRest' | 'settle' | 'hurry'>;
}

/** `Session.start`, replaceable in tests. */
type StartSession = (seed: SessionSeed, deps: SessionDeps, signal: AbortSignal) => Promise<RunningSession>;

/** Hosts sessions in the current thread. */
export class LocalHost implements SessionHost {
  readonly #deps: HostDeps;
  readonly #startSession: StartSession;
  readonly #sessions = new Map<string, RunningSession>();

  constructor(deps: HostDeps, startSession: StartSession = Session.start) {
    this.#deps = deps;
    this.#startSession = startSession;
  }

  async start(seed: NewSession, timeoutMs: Millis): Promise<HostedSession> {
    return this.#host(await this.#startWithin(timeoutMs, seed));
  }

  async resume(checkpoint: Checkpoint): Promise<HostedSession> {
    try {
      return this.#host(await this.#resumeWithRetries({ kind: 'resumed', checkpoint }));
    } catch (error) {
      await this.#deps.checkpoints?.remove(checkpoint.sessionId);
      // Its events would wait for a session that never comes.
      void this.#deps.results.deliverRest(checkpoint.sessionId, 'SessionLost');
      throw error;
    }
  }

  /** The largest lag of any session now. */
  get lagMs(): Millis {
    let lagMs = 0;
    for (const session of this.#sessions.values()) lagMs = Math.max(lagMs, session.lagMs);
    return lagMs;
  }

  async views(): Promise<SessionView[]> {
    return [...this.#sessions.values()].map((session) => session.view());
  }

  async details(sessionId: string): Promise<SessionDetails | undefined> {
    const session = this.#sessions.get(sessionId);
    return session && { session: session.view(), ...session.details() };
  }

  settleResults(): Promise<void> {
    return this.#deps.results.settle();
  }

  hurryResults(): void {
    this.#deps.results.hurry();
  }

  #host(session: RunningSession): HostedSession {
    this.#sessions.set(session.sessionId, session);
    let keepsCheckpoint = false;
    return {
      ending: session.ending,
      ended: this.#end(session, () => keepsCheckpoint),
      stop({ keepCheckpoint }: StopOptions) {
        keepsCheckpoint ||= keepCheckpoint;
        session.stop({ continues: keepsCheckpoint });
      },
    };
  }

  async #end(session: RunningSession, keepsCheckpoint: () => boolean): Promise<HostedOutcome> {
    const outcome = await session.ended;
    if (!keepsCheckpoint()) await this.#deps.checkpoints?.remove(session.sessionId);
    this.#sessions.delete(session.sessionId);
    const details = { session: session.view(), ...session.details() };
    if (outcome.name === 'completed') return { ...outcome, details };
    return { name: 'failed', error: errorFields(outcome.error), details };
  }

  async #startWithin(timeoutMs: Millis, seed: SessionSeed): Promise<RunningSession> {
    const attempt = new AbortController();
    const timeout = new StartTimedOut(`Kinesis Video or Deepgram did not answer within ${timeoutMs} ms`);
    const cancelTimeout = this.#deps.clock.after(timeoutMs, () => attempt.abort(timeout));
    try {
      return await this.#startSession(seed, this.#deps, attempt.signal);
    } finally {
      cancelTimeout();
    }
  }

  /** Retries, because nobody else will start this session again. */
  async #resumeWithRetries(seed: SessionSeed): Promise<RunningSession> {
    const { clock, random, settings } = this.#deps;
    const { sessionId, traceId, request } = identityOf(seed);
    const log = this.#deps.log.child({ sessionId, contactId: request.contactId, traceId });
    const giveUpAtMs = clock.now() + settings.deepgramGiveUpMs;
    for (let retry = 0; ; retry++) {
      try {
        return await this.#startWithin(RESUME_TIMEOUT_MS, seed);
      } catch (error) {
        const isOver = !isRetryable(error) || clock.now() > giveUpAtMs;
        const fields = { event: 'session.not-resumed', ...errorFields(error) };
        log.warn(
          fields,
          isOver ? 'resuming failed: the rest of the call is not transcribed' : 'resuming failed: retrying',
        );
        if (isOver) throw error;
        await clock.sleep(backoffMs(retry, { firstMs: RESUME_RETRY_MS, longestMs: RESUME_RETRY_MS, random }));
      }
    }
  }
}

/** Refusals by Kinesis and Deepgram know whether they are permanent; other errors may pass. */
function isRetryable(error: unknown): boolean {
  // The call is running: an expired token or a proxy's answer does not end it.
  if (error instanceof KinesisRefused && error.midCall === 'retry') return true;
  return !(error instanceof Error && 'retryable' in error) || error.retryable === true;
}
