import { Worker } from 'node:worker_threads';
import type { Checkpoint, SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { SessionDetails, SessionView } from '../contract/control-api.ts';
import type { LogLevel } from '../contract/log-levels.ts';
import type { SessionSnapshot } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import type { NewSession } from '../session/seed.ts';
import { type Ending, type HostedSession, type SessionHost, ThreadLost } from './host.ts';
import type { Asked, FromWorker, ToWorker, WorkerSettings } from './messages.ts';
import { unpackError } from './packed-error.ts';

/** The worker's own script: beside this one in the sources, and beside the bundle that this one is part of. */
const WORKER_SCRIPT = import.meta.url.endsWith('.ts')
  ? new URL('worker.ts', import.meta.url)
  : new URL('threads/worker.js', import.meta.url);

/** A session of the worker's, as it is known here. */
interface Followed {
  readonly ending: PromiseWithResolvers<void>;
  readonly ended: PromiseWithResolvers<Ending>;
}

/** One worker thread, seen from the main thread. When it ends before its time, all its sessions are lost. */
export class WorkerHost implements SessionHost {
  /** Told what the thread has counted so far, every second. */
  onCounted: (snapshot: SessionSnapshot) => void = () => {};
  /** Resolves when the thread has ended, whatever ended it. */
  readonly gone: Promise<void>;
  readonly #worker: Worker;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #sessions = new Map<string, Followed>();
  /** Sessions per stream, those that are only starting included. */
  readonly #streams = new Map<string, number>();
  #size = 0;
  #isGone = false;
  #nextId = 0;

  constructor(settings: WorkerSettings) {
    this.#worker = new Worker(WORKER_SCRIPT, { workerData: settings, name: settings.name });
    this.#worker.on('message', (message: FromWorker) => this.#take(message));
    // What it was has been logged by the thread itself (logFaults), or kept it from beginning.
    this.#worker.on('error', () => {});
    this.gone = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#lose();
        resolve();
      });
    });
  }

  /** Sessions that it hosts or is about to. */
  get size(): number {
    return this.#size;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Whether one of them reads that stream: what AWS allows per stream is counted in one place. */
  reads(streamArn: string): boolean {
    return this.#streams.has(streamArn);
  }

  start(seed: NewSession, timeoutMs: Millis): Promise<HostedSession> {
    return this.#follow(seed, () => this.#ask('start', { seed, timeoutMs }));
  }

  resume(checkpoint: Checkpoint): Promise<HostedSession> {
    return this.#follow(checkpoint, () => this.#ask('resume', { checkpoint }));
  }

  views(): Promise<SessionView[]> {
    return this.#ask('views', {});
  }

  details(sessionId: string): Promise<SessionDetails | undefined> {
    return this.#ask('details', { sessionId });
  }

  metrics(): Promise<SessionSnapshot> {
    return this.#ask('metrics', {});
  }

  hosts(sessionId: string): boolean {
    return this.#sessions.has(sessionId);
  }

  setLogLevel(level: LogLevel): void {
    this.#tell({ type: 'log-level', level });
  }

  async #follow({ sessionId, request }: SessionIdentity, open: () => Promise<undefined>): Promise<HostedSession> {
    const { arn } = request.kvsStream;
    this.#size++;
    this.#streams.set(arn, (this.#streams.get(arn) ?? 0) + 1);
    // Known from the start on: its end may be told in the same breath as its beginning.
    const followed = { ending: Promise.withResolvers<void>(), ended: Promise.withResolvers<Ending>() };
    this.#sessions.set(sessionId, followed);
    try {
      await open();
    } catch (error) {
      this.#forget(sessionId, arn);
      throw error;
    }
    void followed.ended.promise.then(() => this.#forget(sessionId, arn));
    return {
      ending: followed.ending.promise,
      ended: followed.ended.promise,
      stop: (keepsCheckpoint) => this.#tell({ type: 'stop', sessionId, keepsCheckpoint }),
    };
  }

  #forget(sessionId: string, streamArn: string): void {
    this.#sessions.delete(sessionId);
    this.#size--;
    const others = (this.#streams.get(streamArn) ?? 1) - 1;
    if (others > 0) this.#streams.set(streamArn, others);
    else this.#streams.delete(streamArn);
  }

  #ask<Name extends keyof Asked>(type: Name, ask: Asked[Name]['ask']): Promise<Asked[Name]['answer']> {
    if (this.#isGone) return Promise.reject(new ThreadLost());
    const id = this.#nextId++;
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(id, asked);
    this.#worker.postMessage({ type, id, ...ask });
    return asked.promise as Promise<Asked[Name]['answer']>;
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #take(message: FromWorker): void {
    if (message.type === 'ending') this.#sessions.get(message.sessionId)?.ending.resolve();
    else if (message.type === 'ended') this.#sessions.get(message.sessionId)?.ended.resolve(message.ending);
    else if (message.type === 'counted') this.onCounted(message.snapshot);
    else if (message.type === 'answer') this.#answered(message.id)?.resolve(message.answer);
    else this.#answered(message.id)?.reject(unpackError(message.error));
  }

  #answered(id: number): PromiseWithResolvers<unknown> | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }

  #lose(): void {
    this.#isGone = true;
    for (const asked of this.#asked.values()) asked.reject(new ThreadLost());
    this.#asked.clear();
    for (const { ended } of this.#sessions.values()) ended.resolve({ name: 'lost' });
  }
}
