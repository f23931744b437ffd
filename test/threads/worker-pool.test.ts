import test from 'ava';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { Threads } from '../../daemon/metrics/thread-totals.ts';
import { type HostedSession, ThreadLost } from '../../daemon/threads/host.ts';
import type { HostSettings } from '../../daemon/threads/hosting-thread.ts';
import type { WorkerSettings } from '../../daemon/threads/messages.ts';
import { type PooledWorker, WorkerPool } from '../../daemon/threads/worker-pool.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { checkpointOf, newSessionOf } from '../support/session-builders.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const PAUSE_MS = 1000;
/** A worker that ends earlier is replaced only after the pause. */
const SHORT_LIFE_MS = 5000;

/** A worker whose thread a test can end. */
class FakeWorker implements PooledWorker {
  readonly name: string;
  readonly levels: string[];
  readonly started: string[] = [];
  readonly resumed: string[] = [];
  readonly metricsOfThread = new SessionMetrics();
  onCounted: PooledWorker['onCounted'] = () => {};
  size = 0;
  streams: readonly string[] = [];
  isGone = false;
  readonly #gone = Promise.withResolvers<void>();
  readonly gone = this.#gone.promise;

  constructor({ name, logLevel }: WorkerSettings) {
    this.name = name;
    this.levels = [logLevel];
  }

  crash(): void {
    this.isGone = true;
    this.#gone.resolve();
  }

  reads = (arn: string) => this.streams.includes(arn);
  hosts = (sessionId: string) => [...this.started, ...this.resumed].includes(sessionId);
  setLogLevel = (level: string) => void this.levels.push(level);

  async start({ sessionId }: { readonly sessionId: string }): Promise<HostedSession> {
    this.started.push(sessionId);
    return {} as HostedSession;
  }

  async resume({ sessionId }: { readonly sessionId: string }): Promise<HostedSession> {
    this.resumed.push(sessionId);
    return {} as HostedSession;
  }

  async settleResults(): Promise<void> {}

  hurryResults(): void {}

  async views() {
    if (this.isGone) throw new ThreadLost();
    return [{ sessionId: this.name }] as Awaited<ReturnType<PooledWorker['views']>>;
  }

  async details(sessionId: string) {
    return { session: { sessionId: `${sessionId} on ${this.name}` } } as Awaited<ReturnType<PooledWorker['details']>>;
  }

  async metrics() {
    return this.metricsOfThread.snapshot();
  }
}

function poolOf(workers = 2) {
  const clock = new VirtualClock();
  const { log, of } = recordedLog();
  const begun: FakeWorker[] = [];
  const threads = new Threads(clock);
  const startWorker = (settings: WorkerSettings) => {
    const worker = new FakeWorker(settings);
    begun.push(worker);
    return worker;
  };
  const pool = new WorkerPool({ workers, settings: {} as HostSettings, clock, log, threads, startWorker });
  const worker = (number: number) => begun[number - 1] as FakeWorker;
  return { clock, pool, begun, worker, threads, log, of };
}

test('a session goes to the worker that reads its stream, otherwise to the one with the fewest sessions', async (t) => {
  const { pool, worker } = poolOf();
  [worker(1).size, worker(2).size] = [3, 2];
  const [elsewhere, there] = [newSessionOf('a'), checkpointOf('b')];
  await pool.start(elsewhere, 1000);
  t.deepEqual(worker(2).started, [elsewhere.sessionId]);
  worker(1).streams = [there.request.kvsStream.arn];
  await pool.resume(there);
  t.deepEqual(worker(1).resumed, [there.sessionId]);
});

test('a worker that ends is replaced at once, under a new name', async (t) => {
  const { clock, begun, worker, of } = poolOf();
  await clock.advance(SHORT_LIFE_MS);
  worker(1).crash();
  await clock.advance(0);
  t.deepEqual(
    begun.map(({ name }) => name),
    ['worker-1', 'worker-2', 'worker-3'],
  );
  t.like(of('thread.lost'), [{ level: 'error', thread: 'worker-1' }]);
});

test('a worker that ends soon after its start is replaced after a pause', async (t) => {
  const { clock, begun, worker } = poolOf();
  await clock.advance(SHORT_LIFE_MS - 1);
  worker(2).crash();
  await clock.advance(PAUSE_MS - 1);
  t.is(begun.length, 2);
  await clock.advance(1);
  t.is(begun.length, 3);
  worker(3).crash();
  await clock.advance(PAUSE_MS - 1);
  t.is(begun.length, 3, 'the replacement too');
  await clock.advance(1);
  t.is(begun.length, 4);
});

test('without a worker, a start fails and a resuming session waits for the next worker', async (t) => {
  const { clock, pool, worker } = poolOf(1);
  worker(1).crash();
  await clock.settle();
  await t.throwsAsync(pool.start(newSessionOf('a'), 1000), { instanceOf: ThreadLost });
  const checkpoint = checkpointOf('b');
  const resuming = pool.resume(checkpoint);
  await clock.advance(PAUSE_MS);
  await resuming;
  t.deepEqual(worker(2).resumed, [checkpoint.sessionId]);
});

test('an ended worker gets no sessions, even of streams it was reading', async (t) => {
  const { clock, pool, worker } = poolOf();
  const seed = newSessionOf('a');
  worker(1).streams = [seed.request.kvsStream.arn];
  worker(2).size = 10;
  worker(1).crash();
  await clock.settle();
  await pool.start(seed, 1000);
  t.deepEqual(worker(2).started, [seed.sessionId]);
  t.deepEqual(worker(1).started, []);
});

test('views come from all workers, details from the one that hosts the session', async (t) => {
  const { clock, pool, worker } = poolOf();
  const seed = newSessionOf('a');
  worker(1).size = 1;
  await pool.start(seed, 1000);
  t.deepEqual(
    (await pool.views()).map(({ sessionId }) => sessionId),
    ['worker-1', 'worker-2'],
  );
  t.is((await pool.details(seed.sessionId))?.session.sessionId, `${seed.sessionId} on worker-2`);
  t.is(await pool.details('another'), undefined);
  worker(2).crash();
  await clock.settle();
  t.is((await pool.views()).length, 1, 'an ended worker has none');
});

test('a new log level reaches every worker, including later ones', async (t) => {
  const { clock, begun, worker, log } = poolOf();
  await clock.advance(SHORT_LIFE_MS);
  log.orderLevel('error');
  t.deepEqual(
    begun.map(({ levels }) => levels),
    [
      ['debug', 'error'],
      ['debug', 'error'],
    ],
  );
  worker(1).crash();
  await clock.advance(0);
  log.orderLevel('info');
  t.deepEqual(worker(3).levels, ['error', 'info']);
  t.deepEqual(worker(1).levels, ['debug', 'error']);
});

test('counts are summed over all workers, including ended ones', async (t) => {
  const { clock, worker, threads } = poolOf();
  worker(1).metricsOfThread.sessionStarted('start');
  worker(2).metricsOfThread.sessionStarted('start');
  const started = async () => (await threads.sum()).counts.sessionsStarted.start;
  t.is(await started(), 2);
  worker(1).metricsOfThread.sessionStarted('start');
  worker(1).onCounted(worker(1).metricsOfThread.snapshot());
  await clock.advance(SHORT_LIFE_MS);
  worker(1).crash();
  await clock.advance(0);
  t.is(await started(), 3);
  worker(3).metricsOfThread.sessionStarted('checkpoint');
  t.is((await threads.sum()).counts.sessionsStarted.checkpoint, 1);
});
