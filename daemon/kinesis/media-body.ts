import type { Socket } from 'node:net';
import { returnBuffer, withRoom } from '../buffer-pool.ts';
import type { Millis } from '../clock.ts';
import type { Pulse } from '../pulse.ts';
import { type BodyFraming, framingOf } from './http-body.ts';

/** What one read takes at most: two seconds of a call, a backlog at 64 KiB a turn of the event loop. */
const READ_BYTES = 64 * 1024;
/**
 * The longest that the kernel gathers what comes, when the thread is busy: a read costs the same for one block as for
 * five. With a tick of the pulse and what the aligner waits for, the lag stays below 250 ms.
 */
const LONGEST_GATHER_MS: Millis = 180;

/**
 * What nobody speaks within the longest gathering, two tracks of it: as much left something behind, there is a backlog,
 * and no use in waiting for more to come. TLS gives it in pieces of no more than 16 KiB.
 */
const BACKLOG_BYTES = 16 * 1024;

/** Where all sockets of this thread read into: what came is copied to where it belongs before the next one reads. */
export const READ_BUFFER = new Uint8Array(READ_BYTES);

/**
 * The body of a GetMedia answer. It reads when it is asked to and not more often than the pulse's load allows, so that
 * the kernel gathers while the thread is busy, and while back-pressure holds the call.
 */
export class MediaBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #socket: Socket;
  readonly #pulse: Pulse;
  readonly #now: () => Millis;
  readonly #framing: BodyFraming;
  /** What came and nobody has asked for yet, and what is being looked at. */
  #came: Buffer | undefined;
  #cameBytes = 0;
  #lent: Buffer | undefined;
  #readAtMs: Millis = 0;
  /** What the socket gave since it was last allowed to read. */
  #readBytes = 0;
  #isToldSoon = false;
  #isOver = false;
  #fault: Error | undefined;
  #waiting: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined;

  /** @param headers of the answer. Throws BadHttp when they announce a body that cannot be read. */
  constructor(socket: Socket, headers: Readonly<Record<string, string>>, pulse: Pulse, now: () => Millis) {
    this.#socket = socket;
    this.#pulse = pulse;
    this.#now = now;
    this.#framing = framingOf(headers);
    if (this.#framing.isWhole) this.end(undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * The next bytes, valid until it is called again; done when the body is whole. Throws when the connection broke before
   * that.
   */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#lent) returnBuffer(this.#lent);
    this.#lent = undefined;
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    if (this.#cameBytes > 0 || this.#isOver) this.#tell();
    else this.#readSoon();
    return promise;
  }

  /** Takes what was read of the socket: a view of READ_BUFFER, or the rest of what the head came in. */
  take(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#readBytes += bytes.length;
    this.#readAtMs = this.#readBytes >= BACKLOG_BYTES ? 0 : this.#now();
    // TLS may give something although nobody asks.
    this.#came = withRoom(this.#came, this.#cameBytes, this.#cameBytes + bytes.length);
    try {
      this.#cameBytes = this.#framing.unframe(bytes, this.#came, this.#cameBytes);
    } catch (error) {
      this.end(error as Error);
      return;
    }
    if (this.#framing.isWhole) this.end(undefined);
    else this.#tellSoon();
  }

  /** The connection is over; with an error when it broke. */
  end(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const isWhole = this.#framing.isWhole || (this.#framing.endsWithConnection && !error);
    if (!isWhole) this.#fault = error ?? new Error('the connection ended in the middle of the body');
    this.#socket.destroy();
    this.#tellSoon();
  }

  close(): void {
    this.end(new Error('closed'));
  }

  #readSoon(): void {
    const dueMs = this.#readAtMs + LONGEST_GATHER_MS * this.#pulse.load;
    if (dueMs <= this.#now()) this.#read();
    else this.#pulse.at(dueMs, this.#read);
  }

  /** From now on the socket may read, once (see media-transport.ts). */
  readonly #read = () => {
    if (this.#isOver) return;
    this.#readBytes = 0;
    this.#socket.resume();
  };

  #tellSoon(): void {
    if (this.#isToldSoon) return;
    this.#isToldSoon = true;
    // Once all is taken in, one call after the other: what each does with its audio stays in the caches meanwhile.
    setImmediate(this.#toldSoon);
  }

  readonly #toldSoon = () => {
    this.#isToldSoon = false;
    this.#tell();
  };

  /** Gives whoever waits what has come. */
  #tell(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    if (this.#came && this.#cameBytes > 0) {
      const value = this.#came.subarray(0, this.#cameBytes);
      this.#lent = this.#came;
      this.#came = undefined;
      this.#cameBytes = 0;
      this.#waiting = undefined;
      waiting.resolve({ done: false, value });
    } else if (this.#fault) {
      this.#waiting = undefined;
      waiting.reject(this.#fault);
    } else if (this.#isOver) {
      this.#waiting = undefined;
      waiting.resolve({ done: true, value: undefined });
    } else {
      // Only framing came.
      this.#readSoon();
    }
  }
}
