import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import type { EndOfContact } from '../kinesis/call-end.ts';
import type { errorFields } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import type { NewSession } from '../session/seed.ts';

/** How a session ended, in a form that can cross threads; `lost` when its thread ended. */
export type HostedOutcome =
  | { readonly name: 'completed'; readonly reason: EndOfContact; readonly details?: SessionDetails }
  | { readonly name: 'failed'; readonly error: ReturnType<typeof errorFields>; readonly details?: SessionDetails }
  | { readonly name: 'lost' };

export interface StopOptions {
  readonly keepCheckpoint: boolean;
}

/** A running session, as seen from the thread that requested it. */
export interface HostedSession {
  /** Resolves when the whole call is read and only Deepgram's last results are missing. */
  readonly ending: Promise<void>;
  /** Resolves when the session has ended and its checkpoint is removed, unless that is kept; never rejects. */
  readonly ended: Promise<HostedOutcome>;
  /** Ends the session before the call ends. With its checkpoint kept, another daemon can resume it. */
  stop(options: StopOptions): void;
}

/** Where sessions run: in this thread or in worker threads. */
export interface SessionHost {
  /**
   * Resolves once Kinesis has answered and Deepgram's socket is open. Throws StartTimedOut, KinesisRefused,
   * DeepgramRefused, DeepgramUnreachable or ThreadLost, and then leaves nothing running.
   */
  start(seed: NewSession, timeoutMs: Millis): Promise<HostedSession>;
  /** Resumes an interrupted session; retries up to DEEPGRAM_GIVE_UP_MS. Throws the error that made it give up. */
  resume(checkpoint: Checkpoint): Promise<HostedSession>;
  /** The running sessions, in no particular order. */
  views(): Promise<SessionView[]>;
  /** Resolves when the events of all ended sessions are delivered or dead letters. Never rejects. */
  settleResults(): Promise<void>;
  /** From now on, events that one more attempt does not deliver are given up. */
  hurryResults(): void;
  /** Undefined if no such session runs here. */
  details(sessionId: string): Promise<SessionDetails | undefined>;
}

/** Kinesis or Deepgram did not answer within the caller's deadline. */
export class StartTimedOut extends Error {
  override readonly name = 'StartTimedOut';
}

/** The worker thread ended before the session started. */
export class ThreadLost extends Error {
  override readonly name = 'ThreadLost';

  constructor() {
    super('The worker thread ended before the session started; another one replaces it');
  }
}
