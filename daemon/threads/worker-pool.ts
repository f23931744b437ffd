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

/** A worker that ends sooner than this is replaced only after the pause: workers may be unable to start at all. */
const SHORT_LIFE_MS: Millis = 5000;
const PAUSE_MS: Millis = 1000;

/** A worker, as its pool sees it. */
export type PooledWorker = Pick<WorkerHost, keyof WorkerHost>;

interface PoolOptions {
  /** Number of worker threads (WORKERS). */
  readonly workers: number;
  readonly settings: HostSettings;
  readonly clock: Clock;
  readonly log: RootLog;
  /** Sums up what the workers have counted. */
  readonly threads: Threads;
  /** Takes over the results that an ended thread left, before its sessions resume on another one. */
  readonly onThreadLost?: (thread: string) => Promise<void>;
  /** Starts a worker thread; replaceable in tests. */
  readonly startWorker?: (settings: WorkerSettings) => PooledWorker;
}

/** Hosts sessions in WORKERS worker threads, and replaces those that end. */
export class WorkerPool implements SessionHost {
  readonly #options: PoolOptions;
  readonly #workers: PooledWorker[];
  /** Workers started so far. */
  #startCount = 0;
  #takingOver: Promise<void> = Promise.resolve();
  /** Resolves when the next worker starts. */
  #started = Promise.withResolvers<void>();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#workers = Array.from({ length: options.workers }, (_, index) => this.#startWorker(index));
    options.log.onLevel((level) => {
      for (const worker of this.#workers) worker.setLogLevel(level);
    });
  }

  /** Resolves when every worker responds or has ended. */
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
      await this.#takingOver;
      const worker = this.#choose(checkpoint);
      if (worker) return worker.resume(checkpoint);
      await this.#started.promise;
    }
  }

  async views(): Promise<SessionView[]> {
    const views = await Promise.all(this.#workers.map((worker) => worker.views().catch(noViewsIfLost)));
    return views.flat();
  }

  async details(sessionId: string): Promise<SessionDetails | undefined> {
    return this.#workers.find((worker) => worker.hosts(sessionId))?.details(sessionId);
  }

  async settleResults(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.settleResults()));
  }

  hurryResults(): void {
    for (const worker of this.#workers) worker.hurryResults();
  }

  /** The worker that already reads the stream, otherwise the one with the fewest sessions. */
  #choose({ request }: SessionIdentity): PooledWorker | undefined {
    const { arn } = request.kvsStream;
    const alive = this.#workers.filter(({ isGone }) => !isGone);
    return alive.find((worker) => worker.reads(arn)) ?? alive.sort((one, other) => one.size - other.size)[0];
  }

  #startWorker(index: number): PooledWorker {
    const {
      workers,
      settings,
      clock,
      log,
      threads,
      startWorker = startThread,
      onThreadLost = async () => {},
    } = this.#options;
    const startedAtMs = clock.now();
    const name = `worker-${++this.#startCount}`;
    const worker = startWorker({ settings, logLevel: log.level, name, workers });
    const place = threads.join(() => worker.metrics());
    worker.onCounted = (snapshot) => place.note(snapshot);
    void worker.gone.then(() => {
      place.leave();
      this.#takingOver = this.#takingOver.then(() => onThreadLost(name));
      log.error({ event: 'thread.lost', thread: name }, 'a worker thread ended; with STATE_DIR its sessions resume');
      const pauseMs = clock.now() - startedAtMs < SHORT_LIFE_MS ? PAUSE_MS : 0;
      clock.after(pauseMs, () => this.#replace(index));
    });
    return worker;
  }

  #replace(index: number): void {
    this.#workers[index] = this.#startWorker(index);
    this.#started.resolve();
    this.#started = Promise.withResolvers();
  }
}

function startThread(settings: WorkerSettings): PooledWorker {
  return new WorkerHost(settings);
}

/** A worker that ends before it responds has no sessions. */
function noViewsIfLost(error: unknown): SessionView[] {
  if (error instanceof ThreadLost) return [];
  throw error;
}
