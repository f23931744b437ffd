import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import type { EndOfContact } from '../kinesis/reader.ts';
import type { errorFields } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import type { NewSession } from '../session/seed.ts';

/** How a session ended, as it is told to others; `lost` with the thread that hosted it. */
export type HostedOutcome =
  | { readonly name: 'completed'; readonly reason: EndOfContact }
  | { readonly name: 'failed'; readonly error: ReturnType<typeof errorFields> }
  | { readonly name: 'lost' };

export interface StopOptions {
  readonly keepCheckpoint: boolean;
}

/** A session that runs, seen from where it was asked for. */
export interface HostedSession {
  /** Resolves when all of the call is read, and only Deepgram's last results are awaited. */
  readonly ending: Promise<void>;
  /** Resolves when the session is over and its checkpoint is gone, unless that is kept; never rejects. */
  readonly ended: Promise<HostedOutcome>;
  /** Ends the session before the call ends. Another daemon can resume it when its checkpoint is kept. */
  stop(options: StopOptions): void;
}

/** Where sessions run: this thread, or worker threads. */
export interface SessionHost {
  /**
   * Resolves once Kinesis has answered and Deepgram's socket is open. Throws StartTimedOut, KinesisRefused,
   * DeepgramRefused, DeepgramUnreachable or ThreadLost; nothing is left running then.
   */
  start(seed: NewSession, timeoutMs: Millis): Promise<HostedSession>;
  /** Goes on with a session that was cut off; tries for as long as trying makes sense. Throws what ended that. */
  resume(checkpoint: Checkpoint): Promise<HostedSession>;
  /** The sessions that run, in no order. */
  views(): Promise<SessionView[]>;
  /** Undefined when no session of that id runs here. */
  details(sessionId: string): Promise<SessionDetails | undefined>;
}

/** Kinesis or Deepgram had not answered when the caller's patience was over; nothing was left running. */
export class StartTimedOut extends Error {
  override readonly name = 'StartTimedOut';
}

/** The worker thread that was to host a session ended before the session had begun. */
export class ThreadLost extends Error {
  override readonly name = 'ThreadLost';

  constructor() {
    super('The worker thread that was to host the session ended; another takes its place');
  }
}
