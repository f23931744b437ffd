import type { Millis } from '../runtime/clock.ts';
import { Beat, type Pulse } from '../runtime/timer-wheel.ts';
import type { Media } from './client.ts';

/** How a GetMedia body came to its end. None of them says that the call is over (kinesis-video.md). */
export type MediaEnd = { how: 'closed' } | { how: 'idle' } | { how: 'stopped' } | { how: 'broken'; cause: unknown };

/** The bytes of one GetMedia, until it ends, breaks, or gives nothing for too long while it is being read. */
export class Chunks {
  readonly #media: Media;
  readonly #pulse: Pulse;
  readonly #signal: AbortSignal;
  readonly #look = new Beat(() => this.#lookAfter());
  #idleMs: Millis;
  #askedAtMs: Millis;
  #isHeld = false;
  #endedByUs: MediaEnd | undefined;

  /** @param idleMs how long a read may wait before the connection is given up */
  constructor(media: Media, idleMs: Millis, pulse: Pulse, signal: AbortSignal) {
    this.#media = media;
    this.#pulse = pulse;
    this.#signal = signal;
    this.#idleMs = idleMs;
    this.#askedAtMs = pulse.now();
    pulse.set(this.#look, this.#askedAtMs + idleMs);
    signal.addEventListener('abort', this.#stop, { once: true });
  }

  /** How it ended, once `next` has given undefined. */
  get end(): MediaEnd {
    const { fault } = this.#media.body;
    return this.#endedByUs ?? (fault ? { how: 'broken', cause: fault } : { how: 'closed' });
  }

  /** The next bytes, valid until it is called again; undefined at the end, whatever ended it. */
  next(): Promise<Uint8Array | undefined> {
    if (this.#signal.aborted) this.#stop();
    this.#askedAtMs = this.#pulse.now();
    return this.#media.body.next();
  }

  /** From now on a read may wait this long. */
  waitUpTo(idleMs: Millis): void {
    this.#idleMs = idleMs;
    this.#pulse.set(this.#look, this.#askedAtMs + idleMs);
  }

  /** Waits for what holds the call back. A connection that is not asked meanwhile is as it should be, and not idle. */
  async holdUntil(free: Promise<void>): Promise<void> {
    this.#isHeld = true;
    await free;
    this.#isHeld = false;
  }

  /** Ends the connection. */
  close(): void {
    this.#pulse.cancel(this.#look);
    this.#signal.removeEventListener('abort', this.#stop);
    this.#media.close();
  }

  #lookAfter(): void {
    const nowMs = this.#pulse.now();
    const dueMs = (this.#isHeld ? nowMs : this.#askedAtMs) + this.#idleMs;
    if (dueMs > nowMs) this.#pulse.set(this.#look, dueMs);
    else this.#end({ how: 'idle' });
  }

  readonly #stop = () => this.#end({ how: 'stopped' });

  #end(end: MediaEnd): void {
    this.#endedByUs ??= end;
    this.#media.close();
  }
}
