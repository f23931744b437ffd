import type { Millis } from '../runtime/clock.ts';
import { Timer, type TimerWheel } from '../runtime/timer-wheel.ts';
import type { TakeBytes } from './http/media-body.ts';
import type { Media } from './media-source.ts';

/** How a GetMedia body ended. None of these means that the call is over (daemon/kinesis/README.md). */
export type MediaEnd = { how: 'closed' } | { how: 'idle' } | { how: 'stopped' } | { how: 'broken'; cause: unknown };

/** The bytes of one GetMedia, until it ends, breaks, or is idle for too long while it is being read. */
export class Chunks {
  readonly #media: Media;
  readonly #timers: TimerWheel;
  readonly #signal: AbortSignal;
  readonly #idleTimer = new Timer(() => this.#checkIdle());
  #idleMs: Millis;
  #readAtMs: Millis;
  /** How long the process had stood still when that read began. */
  #stalledMs: Millis;
  #isHeld = false;
  #endedByUs: MediaEnd | undefined;

  /** @param idleMs how long a read may wait before the connection is given up */
  constructor(media: Media, idleMs: Millis, timers: TimerWheel, signal: AbortSignal) {
    this.#media = media;
    this.#timers = timers;
    this.#signal = signal;
    this.#idleMs = idleMs;
    this.#readAtMs = timers.now();
    this.#stalledMs = timers.stalledMs;
    timers.set(this.#idleTimer, this.#readAtMs + idleMs);
    if (signal.aborted) this.#stop();
    else signal.addEventListener('abort', this.#stop, { once: true });
  }

  /** How it ended, once `read` has passed undefined to its callback. */
  get end(): MediaEnd {
    const { fault } = this.#media.body;
    return this.#endedByUs ?? (fault ? { how: 'broken', cause: fault } : { how: 'closed' });
  }

  /** Passes on the next bytes, read at `atMs` and valid until the next call; undefined at the end, whatever ended it. */
  read(atMs: Millis, take: TakeBytes): void {
    this.#readAtMs = atMs;
    this.#stalledMs = this.#timers.stalledMs;
    this.#media.body.read(atMs, take);
  }

  /** Changes how long a read may wait. */
  waitUpTo(idleMs: Millis): void {
    this.#idleMs = idleMs;
    this.#timers.set(this.#idleTimer, this.#readAtMs + idleMs);
  }

  /** Waits for back-pressure to end. A connection that is not being read is not idle. */
  async holdUntil(free: Promise<void>): Promise<void> {
    this.#isHeld = true;
    await free;
    this.#isHeld = false;
  }

  /** Ends the connection. */
  close(): void {
    this.#timers.cancel(this.#idleTimer);
    this.#signal.removeEventListener('abort', this.#stop);
    this.#media.close();
  }

  #checkIdle(): void {
    const nowMs = this.#timers.now();
    // What came while the process stood still has not been read yet.
    const stalledMs = this.#timers.stalledMs - this.#stalledMs;
    const dueMs = (this.#isHeld ? nowMs : this.#readAtMs + stalledMs) + this.#idleMs;
    if (dueMs > nowMs) this.#timers.set(this.#idleTimer, dueMs);
    else this.#end({ how: 'idle' });
  }

  readonly #stop = () => this.#end({ how: 'stopped' });

  #end(end: MediaEnd): void {
    this.#endedByUs ??= end;
    this.#media.close();
  }
}
