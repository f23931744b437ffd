import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { returnBuffer, USUAL_BYTES, withRoom } from '../../runtime/buffer-pool.ts';
import type { Millis } from '../../runtime/clock.ts';
import { Timer, type TimerWheel } from '../../runtime/timer-wheel.ts';
import { type BodyFraming, framingOf } from './http-body.ts';

/** All sockets of this thread read into this buffer; the bytes are copied out before the next read. */
export const READ_BUFFER = Buffer.alloc(USUAL_BYTES);

/**
 * More than two tracks produce between two reads. After reading this much there is a backlog, so waiting for more data
 * has no benefit.
 */
const BACKLOG_BYTES = USUAL_BYTES;

/** Takes the next bytes of a body, valid until it reads again; undefined at its end. Must not throw. */
export type TakeBytes = (bytes: Uint8Array | undefined) => void;

/** The bytes of a body as they arrive. */
export interface MediaBytes {
  /**
   * Calls `take` once with the next bytes, possibly before it returns. A callback, because a promise for each read of
   * each call would cost too much.
   * @param notBeforeMs when to read them
   */
  read(notBeforeMs: Millis, take: TakeBytes): void;
  /** Why the body ended, if it is incomplete. */
  readonly fault: Error | undefined;
}

/** The next bytes of a body, valid until the next call; undefined at the end. Never rejects. */
export function nextOf(body: MediaBytes, notBeforeMs: Millis = 0): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => body.read(notBeforeMs, resolve));
}

/**
 * The body of a GetMedia response. Reads only when it is asked to: meanwhile, and while back-pressure holds the call,
 * the kernel gathers.
 */
export class MediaBody implements MediaBytes {
  /** The body of this thread that received bytes last and has not delivered them yet. */
  static #undelivered: MediaBody | undefined;
  fault: Error | undefined;
  readonly #socket: Socket;
  readonly #isEncrypted: boolean;
  readonly #timers: TimerWheel;
  readonly #nextRead = new Timer(() => this.#resume());
  readonly #framing: BodyFraming;
  /** Bytes received and not yet delivered. */
  #received: Buffer | undefined;
  #receivedBytes = 0;
  /** The bytes delivered last, which the caller may still look at. */
  #lent: Buffer | undefined;
  /** Bytes received since the socket was last allowed to read. */
  #readBytes = 0;
  /** Whether the socket may read once more. */
  #isReading = false;
  #isOver = false;
  /** Waits for the next bytes. */
  #waiting: TakeBytes | undefined;

  /** @param headers of the response. Throws BadHttp when they announce a body that cannot be read. */
  constructor(socket: Socket, headers: Readonly<Record<string, string>>, timers: TimerWheel) {
    this.#socket = socket;
    this.#isEncrypted = socket instanceof TLSSocket;
    this.#timers = timers;
    this.#framing = framingOf(headers);
    if (this.#framing.isComplete) this.end(undefined);
  }

  read(notBeforeMs: Millis, take: TakeBytes): void {
    if (this.#lent) returnBuffer(this.#lent);
    this.#lent = undefined;
    this.#waiting = take;
    if (this.#receivedBytes > 0 || this.#isOver) this.#deliver();
    else if (this.#readBytes >= BACKLOG_BYTES || notBeforeMs <= this.#timers.now()) this.#resume();
    else this.#timers.set(this.#nextRead, notBeforeMs);
  }

  /**
   * Takes bytes read from the socket: the first `length` of READ_BUFFER, or what followed the head. Returns whether the
   * socket should keep reading, because another read was requested meanwhile.
   */
  take(bytes: Buffer, length = bytes.length): boolean {
    this.#isReading = false;
    if (!this.#isOver) this.#receive(bytes, length);
    return this.#isReading;
  }

  #receive(bytes: Buffer, length: number): void {
    this.#readBytes += length;
    // Deliver when the buffer is full; a larger buffer for a backlog would only make it longer.
    if (this.#received && this.#receivedBytes + length > this.#received.length) this.#deliver();
    // TLS may yield bytes without a read.
    this.#received = withRoom(this.#received, this.#receivedBytes, this.#receivedBytes + length);
    try {
      this.#receivedBytes = this.#framing.unframe(bytes, length, this.#received, this.#receivedBytes);
    } catch (error) {
      this.end(error as Error);
      return;
    }
    if (this.#framing.isComplete) this.end(undefined);
    // TLS yields one read record by record: deliver the records together.
    else if (this.#isEncrypted) this.#deliverLater();
    else this.#deliver();
  }

  /** The connection has ended; with an error if it broke. */
  end(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const isComplete = this.#framing.isComplete || (this.#framing.endsWithConnection && !error);
    if (!isComplete) this.fault = error ?? new Error('the connection ended in the middle of the body');
    this.#socket.destroy();
    this.#deliver();
  }

  close(): void {
    this.end(new Error('closed'));
  }

  /** Lets the socket read once (see media-transport.ts). */
  #resume(): void {
    if (this.#isOver) return;
    this.#readBytes = 0;
    this.#isReading = true;
    this.#socket.resume();
  }

  /** Delivers once another body receives bytes, or at the end of this turn of the event loop. */
  #deliverLater(): void {
    const other = MediaBody.#undelivered;
    if (other === this) return;
    MediaBody.#undelivered = this;
    if (other) other.#deliver();
    else setImmediate(MediaBody.#deliverPending);
  }

  static readonly #deliverPending = () => {
    const body = MediaBody.#undelivered;
    MediaBody.#undelivered = undefined;
    if (body) body.#deliver();
  };

  /** Passes the received bytes to the pending read, if there is one. */
  #deliver(): void {
    const take = this.#waiting;
    if (!take) return;
    if (this.#received && this.#receivedBytes > 0) {
      const bytes = this.#received.subarray(0, this.#receivedBytes);
      this.#lent = this.#received;
      this.#received = undefined;
      this.#receivedBytes = 0;
      this.#waiting = undefined;
      take(bytes);
    } else if (this.#isOver) {
      this.#waiting = undefined;
      take(undefined);
    } else {
      // The bytes were only framing.
      this.#resume();
    }
  }
}
