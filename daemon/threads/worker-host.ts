import { Worker } from 'node:worker_threads';
import type { Checkpoint, SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import type { LogLevel } from '../contract/log-levels.ts';
import type { SessionSnapshot } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import type { NewSession } from '../session/seed.ts';
import { type HostedOutcome, type HostedSession, type SessionHost, type StopOptions, ThreadLost } from './host.ts';
import type { FromWorker, Methods, ToWorker, WorkerSettings } from './messages.ts';
import { unpackError } from './packed-error.ts';

/** The worker script: next to this file in the sources, next to the bundle in a release. */
const WORKER_SCRIPT = import.meta.url.endsWith('.ts')
  ? new URL('worker.ts', import.meta.url)
  : new URL('threads/worker.js', import.meta.url);

/** What a host needs from its thread; a `Worker` outside tests. */
interface WorkerThread {
  postMessage(message: ToWorker): void;
  on(name: 'message', listener: (message: FromWorker) => void): unknown;
  on(name: 'error' | 'exit', listener: () => void): unknown;
}

/** A session of the worker, as the main thread knows it. */
interface RemoteSession {
  readonly ending: PromiseWithResolvers<void>;
  readonly ended: PromiseWithResolvers<HostedOutcome>;
}

/** A worker thread, seen from the main thread. If it ends, all its sessions are lost. */
export class WorkerHost implements SessionHost {
  /** Called every second with what the thread has counted so far. */
  onCounted: (snapshot: SessionSnapshot) => void = () => {};
  /** Resolves when the thread has ended, for whatever reason. */
  readonly gone: Promise<void>;
  readonly #thread: WorkerThread;
  /** Requests that have no response yet. */
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #sessions = new Map<string, RemoteSession>();
  /** Sessions per stream, including those still starting. */
  readonly #streams = new Map<string, number>();
  #size = 0;
  #isGone = false;
  #nextId = 0;

  constructor(settings: WorkerSettings, thread: WorkerThread = startThread(settings)) {
    this.#thread = thread;
    thread.on('message', (message) => this.#receive(message));
    // The thread itself has logged the error (logFaults), unless it failed to start.
    thread.on('error', () => {});
    this.gone = new Promise((resolve) => {
      thread.on('exit', () => {
        this.#lose();
        resolve();
      });
    });
  }

  /** Number of sessions, including those still starting. */
  get size(): number {
    return this.#size;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** True if one of its sessions reads the stream: AWS limits per stream are enforced in one thread. */
  reads(streamArn: string): boolean {
    return this.#streams.has(streamArn);
  }

  start(seed: NewSession, timeoutMs: Millis): Promise<HostedSession> {
    return this.#follow(seed, () => this.#request('start', { seed, timeoutMs }));
  }

  resume(checkpoint: Checkpoint): Promise<HostedSession> {
    return this.#follow(checkpoint, () => this.#request('resume', { checkpoint }));
  }

  views(): Promise<SessionView[]> {
    return this.#request('views', {});
  }

  details(sessionId: string): Promise<SessionDetails | undefined> {
    return this.#request('details', { sessionId });
  }

  /** What a thread that dies meanwhile leaves is taken over. */
  async settleResults(): Promise<void> {
    await this.#request('settleResults', {}).catch(() => {});
  }

  hurryResults(): void {
    this.#send({ type: 'hurry-results' });
  }

  metrics(): Promise<SessionSnapshot> {
    return this.#request('metrics', {});
  }

  hosts(sessionId: string): boolean {
    return this.#sessions.has(sessionId);
  }

  setLogLevel(level: LogLevel): void {
    this.#send({ type: 'log-level', level });
  }

  async #follow({ sessionId, request }: SessionIdentity, open: () => Promise<undefined>): Promise<HostedSession> {
    const { arn } = request.kvsStream;
    this.#size++;
    this.#streams.set(arn, (this.#streams.get(arn) ?? 0) + 1);
    // Registered before it runs: its `ended` message may follow right after the response.
    const { ending, ended } = { ending: Promise.withResolvers<void>(), ended: Promise.withResolvers<HostedOutcome>() };
    this.#sessions.set(sessionId, { ending, ended });
    try {
      await open();
    } catch (error) {
      this.#forget(sessionId, arn);
      throw error;
    }
    void ended.promise.then(() => this.#forget(sessionId, arn));
    return {
      ending: ending.promise,
      ended: ended.promise,
      stop: (options: StopOptions) => this.#send({ type: 'stop', sessionId, ...options }),
    };
  }

  #forget(sessionId: string, streamArn: string): void {
    this.#sessions.delete(sessionId);
    this.#size--;
    const others = (this.#streams.get(streamArn) ?? 1) - 1;
    if (others > 0) this.#streams.set(streamArn, others);
    else this.#streams.delete(streamArn);
  }

  #request<Name extends keyof Methods>(type: Name, params: Methods[Name]['params']): Promise<Methods[Name]['result']> {
    if (this.#isGone) return Promise.reject(new ThreadLost());
    const id = this.#nextId++;
    const response = Promise.withResolvers<unknown>();
    this.#pending.set(id, response);
    this.#send({ type, id, ...params } as ToWorker);
    return response.promise as Promise<Methods[Name]['result']>;
  }

  #send(message: ToWorker): void {
    this.#thread.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'ending') this.#sessions.get(message.sessionId)?.ending.resolve();
    else if (message.type === 'ended') this.#sessions.get(message.sessionId)?.ended.resolve(message.outcome);
    else if (message.type === 'counted') this.onCounted(message.snapshot);
    else if (message.type === 'result') this.#takePending(message.id)?.resolve(message.result);
    else this.#takePending(message.id)?.reject(unpackError(message.error));
  }

  #takePending(id: number): PromiseWithResolvers<unknown> | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #lose(): void {
    this.#isGone = true;
    for (const { reject } of this.#pending.values()) reject(new ThreadLost());
    this.#pending.clear();
    for (const { ended } of this.#sessions.values()) ended.resolve({ name: 'lost' });
  }
}

function startThread(settings: WorkerSettings): WorkerThread {
  return new Worker(WORKER_SCRIPT, { workerData: settings, name: settings.name });
}
