import type { Millis } from '../runtime/clock.ts';
import type { LogLevel } from './log-levels.ts';

/** Version of the control API; every successful response names it. */
export const API_VERSION = 1;

/** Default of CONTROL_SOCKET; served only if its directory exists, which systemd creates. */
export const CONTROL_SOCKET_PATH = '/run/integratord/control.sock';

export type SessionState = 'running' | 'ending' | 'ended';
export const SESSION_STATES = ['running', 'ending', 'ended'] as const satisfies readonly SessionState[];

/** A session in GET /v1/sessions; contains no secret. */
export interface SessionView {
  readonly sessionId: string;
  readonly contactId: string;
  /** Joins the trigger's and the daemon's log lines about this session. */
  readonly traceId: string;
  readonly state: SessionState;
  readonly ageMs: Millis;
  /** Call audio sent to Deepgram, and how much of it was sent again. */
  readonly audioMs: Millis;
  readonly replayedMs: Millis;
  /** How late audio is handed to Deepgram's socket, or waits for that: now and at the worst. */
  readonly lagMs: Millis;
  readonly worstLagMs: Millis;
  /** Audio that is missing. */
  readonly gapMs: Millis;
  /** Audio that the producer sent again, left out. */
  readonly repeatedMs: Millis;
  readonly reconnects: number;
  /** The most audio buffered at any time. */
  readonly worstBufferBytes: number;
  readonly deepgramRequestIds: readonly string[];
  readonly model?: string | undefined;
  /** Host of the callback URL, without path and credentials. */
  readonly callbackHost?: string | undefined;
}

/** A line of the daemon's log about a session. */
export type TimelineEntry = { readonly atEpochMs: Millis } & Readonly<Record<string, unknown>>;

/** GET /v1/sessions/:id; the daemon masks secrets in the parameters. */
export interface SessionDetails {
  readonly session: SessionView;
  readonly params: Readonly<Record<string, string | readonly string[]>>;
  readonly timeline: readonly TimelineEntry[];
}

/** A session that has ended, or could not start; figures of those that ran. */
export interface EndedSession {
  readonly sessionId: string;
  readonly contactId: string;
  readonly traceId: string;
  readonly outcome: 'completed' | 'failed';
  /** Why it ended, or the error. */
  readonly reason: string;
  readonly endedAtEpochMs: Millis;
  readonly ageMs?: Millis;
  readonly audioMs?: Millis;
  readonly gapMs?: Millis;
  readonly reconnects?: number;
  readonly worstLagMs?: Millis;
}

/** GET /v1/history/:id; details of a session that ran. */
export interface EndedDetails {
  readonly ended: EndedSession;
  readonly details?: SessionDetails;
}

/** GET /v1/history: the last one first. */
export interface History {
  readonly ended: readonly EndedSession[];
}

/** POST /v1/sessions/:id/stop; sent when the session has ended. */
export interface Stopped {
  readonly sessionId: string;
  readonly outcome: 'completed' | 'failed';
  readonly reason?: string;
  readonly error?: string;
}

export type DrainSource = 'operator' | 'signal' | 'lifecycle' | 'spot' | 'maintenance';

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

/** One check of POST /v1/doctor, with a remedy if it did not pass. */
export interface Check {
  readonly name: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly remedy?: string;
}

/** What `integratord --check` prints as JSON: the checks that need no running daemon, and the settings, masked. */
export interface OfflineChecks {
  readonly checks: readonly Check[];
  readonly settings: Readonly<Record<string, string | number>>;
}

/** POST /v1/drain. Without deadlineMs, DRAIN_DEADLINE_MS applies; null means no deadline. */
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
  readonly state: 'serving' | 'full' | 'cordoned' | 'not-ready' | 'cut-off' | 'draining';
  readonly region: string;
  readonly sessions: number;
  readonly maxSessions: number;
  readonly cordon?: { readonly sinceEpochMs: Millis; readonly reason?: string } | undefined;
  readonly drain?: DrainView | undefined;
  readonly lifecycle: {
    readonly on: boolean;
    readonly instanceId?: string | undefined;
    readonly groupName?: string | undefined;
    readonly state?: string | undefined;
  };
  readonly checkpoints: boolean;
  readonly unsignedStarts: boolean;
  readonly logLevel: LogLevel;
  /** Over all running sessions: the largest lag and the missing audio. */
  readonly lagMs: Millis;
  readonly gapMs: Millis;
  readonly lastHour: { readonly ended: number; readonly failed: number; readonly gapMs: Millis };
}

/** POST /v1/cordon and /v1/uncordon. */
export interface CordonResponse extends Pick<Status, 'state'> {
  /** True if the daemon was already as ordered. */
  readonly unchanged: boolean;
}

/** Sort orders of GET /v1/overview: oldest session first, largest lag, or most audio missing. */
export const OVERVIEW_SORTS = ['age', 'lag', 'gaps'] as const;

/** Totals of all sessions, and one page of them in full. */
export interface SessionsOverview {
  readonly totals: {
    readonly sessions: number;
    /** The largest lag of any session. */
    readonly lagMs: Millis;
    readonly gapMs: Millis;
    readonly sessionsWithGaps: number;
    readonly reconnects: number;
  };
  /** Number of sessions that match, and the index of the first one shown. */
  readonly found: number;
  readonly offset: number;
  readonly sessions: readonly SessionView[];
}

/** GET /v1/overview?sort=age|lag|gaps&find=PART-OF-AN-ID&offset=0&limit=24. */
export interface Overview extends SessionsOverview {
  /** Sessions that failed within a day: the last ones, and how many there were. */
  readonly failed: { readonly count: number; readonly latest: readonly EndedSession[] };
  readonly atEpochMs: Millis;
  readonly status: Status;
}

/** GET and POST /v1/log-level. */
export interface LevelOfLog {
  readonly level: LogLevel;
  /** LOG_LEVEL, which applies again after a restart. */
  readonly configured: LogLevel;
  /** When LOG_LEVEL applies again; absent if that is at the next start. */
  readonly untilEpochMs?: Millis;
}

/** GET /v1/results: events on their way to consumers. */
export interface ResultsStatus {
  /** Numbered events that wait to be delivered, and the age of the oldest. */
  readonly backlog: number;
  readonly oldestAgeMs: Millis;
  readonly deadLetters: number;
  /** Where those are kept; undefined when nowhere. */
  readonly place?: string | undefined;
}

/** POST /v1/results/retry; sent when all dead letters have been tried. */
export interface RetriedLetters {
  readonly delivered: number;
  /** Still there: not accepted by their destination, or not read by the bucket or the disk. */
  readonly left: number;
  /** Still there: sealed with a key that is not known, or written by another version. */
  readonly unreadable: number;
  /** Of those delivered: still there, so that the next retry delivers them again. */
  readonly notRemoved: number;
}

/** A successful response: it names the version of its API. */
export type Versioned<T> = T & { readonly apiVersion: number };
