import type { Millis } from '../runtime/clock.ts';
import type { LogLevel } from './log-levels.ts';

/** The version of the control API that this integratorctl speaks; every successful answer names its own. */
export const API_VERSION = 1;

/** Where the daemon serves the control API when CONTROL_SOCKET does not say otherwise and systemd made the directory. */
export const CONTROL_SOCKET_PATH = '/run/integratord/control.sock';

export type SessionState = 'running' | 'ending' | 'ended';
export const SESSION_STATES = ['running', 'ending', 'ended'] as const satisfies readonly SessionState[];

/** A session, as GET /v1/sessions shows it; no secret is in it. */
export interface SessionView {
  readonly sessionId: string;
  readonly contactId: string;
  /** Joins the log lines of the trigger and of the daemon about this session. */
  readonly traceId: string;
  readonly state: SessionState;
  readonly ageMs: Millis;
  /** Call time sent to Deepgram, and how much of it more than once. */
  readonly audioMs: Millis;
  readonly replayedMs: Millis;
  /** From the arrival of a block at the daemon to its write to Deepgram's socket: the last one and the worst one. */
  readonly lagMs: Millis;
  readonly worstLagMs: Millis;
  /** Audio that is missing. */
  readonly holeMs: Millis;
  readonly reconnects: number;
  /** The most audio that was ever buffered at once. */
  readonly worstBufferBytes: number;
  readonly deepgramRequestIds: readonly string[];
  readonly model?: string | undefined;
  /** Host of the callback URL, without path and credentials. */
  readonly callbackHost?: string | undefined;
}

/** A line of the daemon's log about one session. */
export type TimelineEntry = { readonly atEpochMs: Millis } & Readonly<Record<string, unknown>>;

/** GET /v1/sessions/:id; secrets in the parameters are masked by the daemon. */
export interface SessionDetails {
  readonly session: SessionView;
  readonly params: Readonly<Record<string, string | readonly string[]>>;
  readonly timeline: readonly TimelineEntry[];
}

/** POST /v1/sessions/:id/stop, once the session is over. */
export interface Stopped {
  readonly sessionId: string;
  readonly outcome: 'completed' | 'failed';
  readonly reason?: string;
  readonly error?: string;
}

export type DrainSource = 'operator' | 'signal' | 'lifecycle' | 'spot';

/** GET /v1/drain. */
export interface DrainView {
  readonly source: DrainSource;
  readonly reason: string;
  readonly sinceEpochMs: Millis;
  readonly deadlineAtEpochMs: Millis | null;
  readonly takesStartsUntilEpochMs: Millis;
  readonly sessionsLeft: number;
  readonly longestCallMs: Millis;
  readonly state: 'draining' | 'ending-rest' | 'drained';
}

/** One check of GET /v1/doctor, and what to do about it. */
export interface Check {
  readonly name: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly remedy?: string;
}

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
  readonly cordon?: { readonly sinceEpochMs: Millis; readonly reason?: string } | undefined;
  readonly drain?: DrainView | undefined;
  readonly lifecycle: {
    readonly on: boolean;
    readonly instanceId?: string;
    readonly groupName?: string;
    readonly state?: string;
  };
  readonly checkpoints: boolean;
  readonly unsignedStarts: boolean;
}

/** What GET /v1/overview lists first: the oldest session, the one furthest behind, or the one that lost most. */
export const OVERVIEW_SORTS = ['age', 'lag', 'holes'] as const;

/** All sessions in a few figures, and some of them whole. */
export interface SessionsOverview {
  readonly totals: {
    readonly sessions: number;
    /** The lag of the session that is furthest behind. */
    readonly lagMs: Millis;
    readonly holeMs: Millis;
    readonly sessionsWithHoles: number;
    readonly reconnects: number;
  };
  /** How many sessions match, and the place among them of the first one shown. */
  readonly found: number;
  readonly offset: number;
  readonly sessions: readonly SessionView[];
}

/** GET /v1/overview?sort=age|lag|holes&find=PART-OF-AN-ID&offset=0&limit=24. */
export interface Overview extends SessionsOverview {
  readonly atEpochMs: Millis;
  readonly status: Status;
}

/** GET and POST /v1/log-level. */
export interface LevelOfLog {
  readonly level: LogLevel;
  /** LOG_LEVEL, which holds again after a restart. */
  readonly configured: LogLevel;
}

/** Any successful answer, as it came. */
export type Answer<T> = T & { readonly apiVersion: number };
