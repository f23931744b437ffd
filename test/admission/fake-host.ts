import type { Checkpoint, SessionIdentity } from '../../daemon/checkpoints/checkpoint.ts';
import type { SessionDetails } from '../../daemon/contract/control-api.ts';
import type { HostedOutcome, HostedSession, SessionHost } from '../../daemon/threads/host.ts';

/** A session controlled by a test. */
class FakeSession {
  readonly kind: 'start' | 'resume';
  readonly identity: SessionIdentity;
  readonly opening = Promise.withResolvers<HostedSession>();
  readonly stops: boolean[] = [];
  readonly #ending = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<HostedOutcome>();

  constructor(kind: 'start' | 'resume', identity: SessionIdentity) {
    this.kind = kind;
    this.identity = identity;
  }

  /** Kinesis and Deepgram answer. */
  open(): void {
    this.opening.resolve({
      ending: this.#ending.promise,
      ended: this.#ended.promise,
      stop: ({ keepCheckpoint }) => this.stops.push(keepCheckpoint),
    });
  }

  /** The whole call is read. */
  endCall(): void {
    this.#ending.resolve();
  }

  end(outcome: HostedOutcome = { name: 'completed', reason: 'no-more-fragments' }): void {
    if (outcome.name !== 'lost') this.#ending.resolve();
    this.#ended.resolve(outcome);
  }
}

/** A host whose sessions are controlled by a test. */
export class FakeHost implements SessionHost {
  readonly sessions: FakeSession[] = [];
  readonly timeouts: number[] = [];

  get last(): FakeSession {
    return this.sessions.at(-1) as FakeSession;
  }

  start(seed: SessionIdentity, timeoutMs: number): Promise<HostedSession> {
    this.timeouts.push(timeoutMs);
    return this.#add('start', seed);
  }

  resume(checkpoint: Checkpoint): Promise<HostedSession> {
    return this.#add('resume', checkpoint);
  }

  async settleResults(): Promise<void> {}

  hurryResults(): void {}

  async views() {
    return [];
  }

  async details(): Promise<SessionDetails | undefined> {
    return undefined;
  }

  #add(kind: 'start' | 'resume', identity: SessionIdentity): Promise<HostedSession> {
    const session = new FakeSession(kind, identity);
    this.sessions.push(session);
    return session.opening.promise;
  }
}
