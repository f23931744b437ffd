import type { DrainView } from '../contract/control-api.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { SessionMetrics, type SessionSnapshot } from './session-metrics.ts';
import { emptyTally, nameOrOther, type Tally } from './tally.ts';
import type { Threads } from './thread-totals.ts';

const START_SUCCESSES = ['started', 'already-running'] as const;
/** The reasons of `refusal` (http/answer.ts), as daemon/http/README.md lists them. */
const START_FAILURES = [
  'bad-request',
  'wrong-stream',
  'locked-parameter',
  'bad-webhook',
  'two-destinations',
  'missing-signature',
  'bad-signature',
  'stale-signature',
  'body-too-large',
  'body-cut-off',
  'not-ready',
  'cut-off',
  'kinesis-refused',
  'deepgram-refused',
  'deepgram-unreachable',
  'full',
  'cordoned',
  'draining',
  'start-timeout',
  'thread-lost',
  'internal-error',
  'other',
] as const;
export const DRAIN_STATES = ['none', 'draining', 'ending-rest', 'drained'] as const satisfies readonly (
  | 'none'
  | DrainView['state']
)[];

/** What the main thread has counted; counters never decrease. */
export type InstanceCounts = {
  readonly startsSucceeded: Tally<(typeof START_SUCCESSES)[number]>;
  readonly startsFailed: Tally<(typeof START_FAILURES)[number]>;
  readonly cloudWatchPuts: Tally<'ok' | 'failed'>;
};

/** Everything known about the instance at one moment. */
export interface InstanceSnapshot extends SessionSnapshot {
  readonly instance: InstanceCounts;
  readonly activeSessions: number;
  readonly maxSessions: number;
  readonly isCordoned: boolean;
  readonly drainState: (typeof DRAIN_STATES)[number];
  /** Sessions that a drain is waiting for; 0 without a drain. */
  readonly drainSessionsLeft: number;
  /** True while sessions run past the drain deadline. */
  readonly isDrainOverdue: boolean;
}

/** The part of the session manager that metrics show. */
interface Admitted {
  readonly size: number;
  readonly admission: {
    readonly maxSessions: number;
    readonly currentCordon: object | undefined;
    readonly drain: { view(): DrainView | undefined };
  };
}

/** Counts what the main thread does, and combines it with the counts of all threads. */
export class InstanceMetrics {
  readonly #manager: Admitted;
  readonly #threads: Threads;
  readonly #clock: Clock;
  readonly #startsSucceeded = emptyTally(START_SUCCESSES);
  readonly #startsFailed = emptyTally(START_FAILURES);
  readonly #cloudWatchPuts = emptyTally(['ok', 'failed']);

  /** The counts of a process that has just started. */
  static nothingYet(): Pick<InstanceSnapshot, 'counts' | 'instance'> {
    const instance = {
      startsSucceeded: emptyTally(START_SUCCESSES),
      startsFailed: emptyTally(START_FAILURES),
      cloudWatchPuts: emptyTally(['ok', 'failed']),
    };
    return { counts: new SessionMetrics().snapshot().counts, instance };
  }

  constructor(manager: Admitted, threads: Threads, clock: Clock) {
    this.#manager = manager;
    this.#threads = threads;
    this.#clock = clock;
  }

  startSucceeded(status: (typeof START_SUCCESSES)[number]): void {
    this.#startsSucceeded[status]++;
  }

  startFailed(reason: unknown): void {
    this.#startsFailed[nameOrOther(START_FAILURES, String(reason))]++;
  }

  cloudWatchPut(result: 'ok' | 'failed'): void {
    this.#cloudWatchPuts[result]++;
  }

  /** Never rejects, and does not wait long for a busy thread. */
  async snapshot(): Promise<InstanceSnapshot> {
    const sessions = await this.#threads.sum();
    const { size, admission } = this.#manager;
    const drain = admission.drain.view();
    const deadlineAtEpochMs: Millis = drain?.deadlineAtEpochMs ?? Infinity;
    const drainSessionsLeft = drain?.sessionsLeft ?? 0;
    return {
      ...sessions,
      instance: {
        startsSucceeded: { ...this.#startsSucceeded },
        startsFailed: { ...this.#startsFailed },
        cloudWatchPuts: { ...this.#cloudWatchPuts },
      },
      activeSessions: size,
      maxSessions: admission.maxSessions,
      isCordoned: admission.currentCordon !== undefined,
      drainState: drain?.state ?? 'none',
      drainSessionsLeft,
      isDrainOverdue: drainSessionsLeft > 0 && this.#clock.epoch() > deadlineAtEpochMs,
    };
  }
}
