import type { Checkpoint, SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import type { RootLog } from '../log/log.ts';
import type { Threads } from '../metrics/thread-totals.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { NewSession } from '../session/seed.ts';
import { type HostedSession, type SessionHost, ThreadLost } from './host.ts';
import type { HostSettings } from './hosting-thread.ts';
import type { WorkerSettings } from './messages.ts';
import { WorkerHost } from './worker-host.ts';

/** One that ends sooner than this is followed by the next one only after the pause: it may not be able to begin. */
const SHORT_LIFE_MS: Millis = 5000;
const PAUSE_MS: Millis = 1000;

/** A worker as its pool sees it. */
export type PooledWorker = Pick<WorkerHost, keyof WorkerHost>;

export interface PoolOptions {
  /** How many worker threads there are at all times (WORKERS). */
  readonly workers: number;
  readonly settings: HostSettings;
  readonly clock: Clock;
  readonly log: RootLog;
  /** Where the workers' counts are added up. */
  readonly threads: Threads;
  /** Starts a worker thread, unless a test brings its own. */
  readonly startWorker?: (settings: WorkerSettings) => PooledWorker;
}

/** The worker threads that host sessions, WORKERS of them at all times: one that ends is followed by another. */
export class WorkerPool implements SessionHost {
  readonly #options: PoolOptions;
  readonly #workers: PooledWorker[];
  /** Workers that have begun, those that ended included. */
  #count = 0;
  /** Resolves when another worker has begun. */
  #begun = Promise.withResolvers<void>();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#workers = Array.from({ length: options.workers }, (_, index) => this.#begin(index));
    options.log.onLevel((level) => {
      for (const worker of this.#workers) worker.setLogLevel(level);
    });
  }

  /** Resolves when every worker answers, or has ended. */
  async ready(): Promise<void> {
    await Promise.allSettled(this.#workers.map((worker) => worker.metrics()));
  }

  async start(seed: NewSession, timeoutMs: Millis): Promise<HostedSession> {
    const worker = this.#choose(seed);
    if (!worker) throw new ThreadLost();
    return worker.start(seed, timeoutMs);
  }

  async resume(checkpoint: Checkpoint): Promise<HostedSession> {
    for (;;) {
      const worker = this.#choose(checkpoint);
      if (worker) return worker.resume(checkpoint);
      await this.#begun.promise;
    }
  }

  async views(): Promise<SessionView[]> {
    const views = await Promise.all(this.#workers.map((worker) => worker.views().catch(nothingOfALostOne)));
    return views.flat();
  }

  async details(sessionId: string): Promise<SessionDetails | undefined> {
    return this.#workers.find((worker) => worker.hosts(sessionId))?.details(sessionId);
  }

  /** The worker that reads the stream already, or else the one with the fewest sessions. */
  #choose({ request }: SessionIdentity): PooledWorker | undefined {
    const { arn } = request.kvsStream;
    const alive = this.#workers.filter(({ isGone }) => !isGone);
    return alive.find((worker) => worker.reads(arn)) ?? alive.sort((one, other) => one.size - other.size)[0];
  }

  #begin(index: number): PooledWorker {
    const { workers, settings, clock, log, threads, startWorker = start } = this.#options;
    const begunAtMs = clock.now();
    const name = `worker-${++this.#count}`;
    const worker = startWorker({ settings, logLevel: log.level, name, workers });
    const place = threads.join(() => worker.metrics());
    worker.onCounted = (snapshot) => place.note(snapshot);
    void worker.gone.then(() => {
      place.leave();
      log.error({ event: 'thread.lost', thread: name }, 'a worker thread ended: another takes over its sessions');
      const pauseMs = clock.now() - begunAtMs < SHORT_LIFE_MS ? PAUSE_MS : 0;
      clock.after(pauseMs, () => this.#replace(index));
    });
    return worker;
  }

  #replace(index: number): void {
    this.#workers[index] = this.#begin(index);
    this.#begun.resolve();
    this.#begun = Promise.withResolvers();
  }
}

function start(settings: WorkerSettings): PooledWorker {
  return new WorkerHost(settings);
}

/** A worker that ends while it is asked has no sessions any more. */
function nothingOfALostOne(error: unknown): SessionView[] {
  if (error instanceof ThreadLost) return [];
  throw error;
}
