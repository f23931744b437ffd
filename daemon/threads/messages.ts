import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import type { LogLevel } from '../contract/log-levels.ts';
import type { SessionSnapshot } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import type { NewSession } from '../session/seed.ts';
import type { HostedOutcome, StopOptions } from './host.ts';
import type { HostSettings } from './hosting-thread.ts';
import type { PackedError } from './packed-error.ts';

/** What a worker thread starts with. */
export interface WorkerSettings {
  readonly settings: HostSettings;
  readonly logLevel: LogLevel;
  /** Unique in this process: a replacement gets a new name. */
  readonly name: string;
  /** Number of workers that share the instance's AWS rate limits. */
  readonly workers: number;
}

/** The requests that a worker handles. */
export interface Methods {
  start: { readonly params: { readonly seed: NewSession; readonly timeoutMs: Millis }; readonly result: undefined };
  resume: { readonly params: { readonly checkpoint: Checkpoint }; readonly result: undefined };
  views: { readonly params: object; readonly result: SessionView[] };
  details: { readonly params: { readonly sessionId: string }; readonly result: SessionDetails | undefined };
  settleResults: { readonly params: object; readonly result: undefined };
  metrics: { readonly params: object; readonly result: SessionSnapshot };
}

export type Request = {
  [Method in keyof Methods]: { readonly type: Method; readonly id: number } & Methods[Method]['params'];
}[keyof Methods];

/** The response to the request with the same id. */
type Response =
  | { readonly type: 'result'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: PackedError };

export type ToWorker =
  | Request
  | ({ readonly type: 'stop'; readonly sessionId: string } & StopOptions)
  | { readonly type: 'hurry-results' }
  | { readonly type: 'log-level'; readonly level: LogLevel };

export type FromWorker =
  | Response
  | { readonly type: 'counted'; readonly snapshot: SessionSnapshot }
  | { readonly type: 'ending'; readonly sessionId: string }
  | { readonly type: 'ended'; readonly sessionId: string; readonly outcome: HostedOutcome };
