import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import type { LogLevel } from '../contract/log-levels.ts';
import type { SessionSnapshot } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import type { NewSession } from '../session/seed.ts';
import type { Ending } from './host.ts';
import type { HostSettings } from './hosting-thread.ts';
import type { PackedError } from './packed-error.ts';

/** What a worker thread is given when it begins. */
export interface WorkerSettings {
  readonly settings: HostSettings;
  readonly logLevel: LogLevel;
  /** No other worker of this process has it, not even one that takes its place. */
  readonly name: string;
  /** How many workers share what AWS allows this instance. */
  readonly workers: number;
}

/** What the main thread asks a worker, and what that answers with. */
export interface Asked {
  start: { readonly ask: { readonly seed: NewSession; readonly timeoutMs: Millis }; readonly answer: undefined };
  resume: { readonly ask: { readonly checkpoint: Checkpoint }; readonly answer: undefined };
  views: { readonly ask: object; readonly answer: SessionView[] };
  details: { readonly ask: { readonly sessionId: string }; readonly answer: SessionDetails | undefined };
  metrics: { readonly ask: object; readonly answer: SessionSnapshot };
}

export type Question = {
  [Name in keyof Asked]: { readonly type: Name; readonly id: number } & Asked[Name]['ask'];
}[keyof Asked];

export type ToWorker =
  | Question
  | { readonly type: 'stop'; readonly sessionId: string; readonly keepsCheckpoint: boolean }
  | { readonly type: 'log-level'; readonly level: LogLevel };

export type FromWorker =
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'refusal'; readonly id: number; readonly error: PackedError }
  | { readonly type: 'counted'; readonly snapshot: SessionSnapshot }
  | { readonly type: 'ending'; readonly sessionId: string }
  | { readonly type: 'ended'; readonly sessionId: string; readonly ending: Ending };
