import type { Millis } from '../clock.ts';
import type { Media } from './client.ts';

/** How a GetMedia body came to its end. None of them says that the call is over (kinesis-video.md). */
export type MediaEnd = { how: 'closed' } | { how: 'idle' } | { how: 'stopped' } | { how: 'broken'; cause: unknown };

/** The bytes of one GetMedia, until it ends, breaks, or gives nothing for too long while it is being read. */
export class Chunks {
  /** How it ended, once `next` has given undefined. */
  end: MediaEnd | undefined;
  readonly #media: Media;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal;
  #waiting = false;

  /** @param idleMs how long a read may wait before the connection is given up */
  constructor(media: Media, idleMs: Millis, signal: AbortSignal) {
    this.#media = media;
    this.#iterator = media.body[Symbol.asyncIterator]();
    this.#signal = signal;
    this.#timer = setTimeout(() => this.#idle(), idleMs);
    signal.addEventListener('abort', this.#stop, { once: true });
  }

  /** The next bytes; undefined at the end, whatever ended it. */
  next(): Promise<Uint8Array | undefined> {
    if (this.#signal.aborted) this.#stop();
    this.#waiting = true;
    this.#timer.refresh();
    return this.#iterator.next().then(this.#came, this.#broke);
  }

  /** From now on a read may wait this long. */
  waitUpTo(idleMs: Millis): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#idle(), idleMs);
  }

  /** Ends the connection. */
  close(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#stop);
    this.#media.close();
  }

  /** Only a connection that we do wait for can be idle: one that back-pressure holds is as it should be. */
  #idle(): void {
    if (!this.#waiting) return;
    this.end ??= { how: 'idle' };
    this.#media.close();
  }

  readonly #came = ({ value, done }: IteratorResult<Uint8Array, undefined>): Uint8Array | undefined => {
    this.#waiting = false;
    if (done) this.end ??= { how: 'closed' };
    return value;
  };

  readonly #broke = (cause: unknown): undefined => {
    this.#waiting = false;
    this.end ??= { how: 'broken', cause };
  };

  readonly #stop = () => {
    this.end ??= { how: 'stopped' };
    this.#media.close();
  };
}
