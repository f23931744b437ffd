import type { DrainView } from '../admission/drain.ts';
import type { Millis } from '../runtime/clock.ts';
import type { LogLevel } from './log-levels.ts';

export type { Check } from '../control/doctor.ts';

/** The version of the control API that this integratorctl speaks; every successful answer names its own. */
export const API_VERSION = 1;

export type SessionState = 'running' | 'ending' | 'ended';
export const SESSION_STATES = ['running', 'ending', 'ended'] as const satisfies readonly SessionState[];

/** A session, as GET /v1/sessions shows it. */
export interface Session {
  readonly sessionId: string;
  readonly contactId: string;
  readonly traceId: string;
  readonly state: SessionState;
  readonly ageMs: Millis;
  readonly audioMs: Millis;
  readonly lagMs: Millis;
  readonly worstLagMs: Millis;
  readonly holeMs: Millis;
  readonly reconnects: number;
  readonly replayedMs: Millis;
  readonly worstBufferBytes: number;
  readonly deepgramRequestIds: readonly string[];
  readonly model?: string;
  readonly callbackHost?: string;
}

/** A line of the daemon's log about one session. */
export interface TimelineEvent {
  readonly atEpochMs: Millis;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** GET /v1/sessions/:id; secrets in the parameters are masked by the daemon. */
export interface SessionDetails {
  readonly session: Session;
  readonly params: Readonly<Record<string, string | readonly string[]>>;
  readonly timeline: readonly TimelineEvent[];
}

/** POST /v1/sessions/:id/stop, once the session is over. */
export interface Stopped {
  readonly sessionId: string;
  readonly outcome: 'completed' | 'failed';
  readonly reason?: string;
  readonly error?: string;
}

/** GET /v1/drain, as the daemon makes it. */
export type Drain = DrainView;

/** POST /v1/drain: no deadlineMs asks for DRAIN_DEADLINE_MS, null for none. */
export interface DrainRequest {
  readonly deadlineMs?: Millis | null;
  readonly reason?: string;
}

export interface Status {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly startedAtEpochMs: Millis;
  readonly uptimeMs: Millis;
  readonly state: 'serving' | 'full' | 'cordoned' | 'draining';
  readonly region: string;
  readonly sessions: number;
  readonly maxSessions: number;
  readonly cordon?: { readonly sinceEpochMs: Millis; readonly reason?: string };
  readonly drain?: Drain;
  readonly lifecycle: {
    readonly on: boolean;
    readonly instanceId?: string;
    readonly groupName?: string;
    readonly state?: string;
  };
  readonly checkpoints: boolean;
  readonly unsignedStarts: boolean;
}

/** GET /v1/overview?sort=age|lag|holes&find=PART-OF-AN-ID&offset=0&limit=24, for whoever can show a few of many. */
export interface Overview {
  readonly atEpochMs: Millis;
  readonly status: Status;
  /** Of all sessions that are here now. */
  readonly totals: {
    readonly sessions: number;
    /** The worst of them. */
    readonly lagMs: Millis;
    readonly holeMs: Millis;
    readonly sessionsWithHoles: number;
    readonly reconnects: number;
  };
  /** How many fit, and the place among them of the first that is shown. */
  readonly found: number;
  readonly offset: number;
  readonly sessions: readonly Session[];
}

export { LOG_LEVELS, type LogLevel } from './log-levels.ts';

/** GET and POST /v1/log-level. */
export interface LevelOfLog {
  readonly level: LogLevel;
  /** LOG_LEVEL, which holds again after a restart. */
  readonly configured: LogLevel;
}

/** Any successful answer, as it came. */
export type Answer<T> = T & { readonly apiVersion: number };
