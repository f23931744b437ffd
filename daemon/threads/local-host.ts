import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import { errorFields } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import type { SessionDeps } from '../session/deps.ts';
import { identityOf, type NewSession, type SessionSeed } from '../session/seed.ts';
import { Session } from '../session/session.ts';
import { type Ending, type HostedSession, type SessionHost, StartTimedOut } from './host.ts';

/** A session that goes on after a crash is tried so long at a time, and so often. */
const RESUME_TIMEOUT_MS: Millis = 6000;
const RESUME_AGAIN_MS: Millis = 1000;

/** Hosts sessions in the thread that it is in. */
export class LocalHost implements SessionHost {
  readonly #deps: SessionDeps;
  readonly #sessions = new Map<string, Session>();

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  async start(seed: NewSession, timeoutMs: Millis): Promise<HostedSession> {
    return this.#host(await startWithin(timeoutMs, seed, this.#deps));
  }

  async resume(checkpoint: Checkpoint): Promise<HostedSession> {
    const giveUpAtMs = this.#deps.clock.now() + this.#deps.settings.deepgramGiveUpMs;
    try {
      return this.#host(await resumeUntil(giveUpAtMs, { kind: 'resumed', checkpoint }, this.#deps));
    } catch (error) {
      await this.#deps.checkpoints?.remove(checkpoint.sessionId);
      throw error;
    }
  }

  async views(): Promise<SessionView[]> {
    return [...this.#sessions.values()].map((session) => session.view());
  }

  async details(sessionId: string): Promise<SessionDetails | undefined> {
    const session = this.#sessions.get(sessionId);
    return session && { session: session.view(), ...session.details() };
  }

  #host(session: Session): HostedSession {
    this.#sessions.set(session.sessionId, session);
    let keepsCheckpoint = false;
    return {
      ending: session.ending,
      ended: this.#end(session, () => keepsCheckpoint),
      stop(keeps) {
        keepsCheckpoint ||= keeps;
        session.stop();
      },
    };
  }

  async #end(session: Session, keepsCheckpoint: () => boolean): Promise<Ending> {
    const outcome = await session.ended;
    if (!keepsCheckpoint()) await this.#deps.checkpoints?.remove(session.sessionId);
    this.#sessions.delete(session.sessionId);
    return outcome.name === 'completed' ? outcome : { name: 'failed', error: errorFields(outcome.error) };
  }
}

async function startWithin(timeoutMs: Millis, seed: SessionSeed, deps: SessionDeps): Promise<Session> {
  const patience = new AbortController();
  const timeout = new StartTimedOut(`Kinesis Video and Deepgram had not both answered within ${timeoutMs} ms`);
  const timer = setTimeout(() => patience.abort(timeout), timeoutMs);
  try {
    return await Session.start(seed, deps, patience.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Tries for as long as trying makes sense: nobody else will start this session again. */
async function resumeUntil(giveUpAtMs: Millis, seed: SessionSeed, deps: SessionDeps): Promise<Session> {
  const { sessionId, traceId, request } = identityOf(seed);
  const log = deps.log.child({ sessionId, contactId: request.contactId, traceId });
  for (;;) {
    try {
      return await startWithin(RESUME_TIMEOUT_MS, seed, deps);
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
