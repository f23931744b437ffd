import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { returnBuffer, USUAL_BYTES, withRoom } from '../../runtime/buffer-pool.ts';
import type { Millis } from '../../runtime/clock.ts';
import { Timer, type TimerWheel } from '../../runtime/timer-wheel.ts';
import { type BodyFraming, framingOf } from './http-body.ts';

/**
 * The longest that the kernel gathers what comes, when the thread is busy: a read costs the same for one block as for
 * five. With a tick of the timer wheel and what the aligner waits for, the lag stays below 250 ms.
 */
const LONGEST_GATHER_MS: Millis = 220;

/** Where all sockets of this thread read into: what came is copied to where it belongs before the next one reads. */
export const READ_BUFFER = new Uint8Array(USUAL_BYTES);

/**
 * What nobody speaks within the longest gathering, two tracks of it: as much left something behind, there is a backlog,
 * and no use in waiting for more to come.
 */
const BACKLOG_BYTES = USUAL_BYTES;

/** The bytes of a body as they come. */
export interface MediaBytes {
  /** The next ones, valid until it is called again; undefined when there are no more. Never rejects. */
  next(): Promise<Uint8Array | undefined>;
  /** Why there are no more, when that is not because the body is whole. */
  readonly fault: Error | undefined;
}

/**
 * The body of a GetMedia answer. It reads when it is asked to and not more often than the timer wheel's load allows, so that
 * the kernel gathers while the thread is busy, and while back-pressure holds the call.
 */
export class MediaBody implements MediaBytes {
  /** The one of this thread that was given something last and has still to tell of it. */
  static #untold: MediaBody | undefined;
  fault: Error | undefined;
  readonly #socket: Socket;
  readonly #isEncrypted: boolean;
  readonly #timers: TimerWheel;
  readonly #nextRead = new Timer(() => this.#read());
  readonly #framing: BodyFraming;
  /** What came and nobody has asked for yet, and what is being looked at. */
  #came: Buffer | undefined;
  #cameBytes = 0;
  #lent: Buffer | undefined;
  /**
   * When the last read was due. The next one is reckoned from there and not from when it was done: calls that were held
   * up together would be read together from then on.
   */
  #dueMs: Millis = 0;
  /** What the socket gave since it was last allowed to read. */
  #readBytes = 0;
  #isOver = false;
  #waiting: ((bytes: Uint8Array | undefined) => void) | undefined;

  /** @param headers of the answer. Throws BadHttp when they announce a body that cannot be read. */
  constructor(socket: Socket, headers: Readonly<Record<string, string>>, timers: TimerWheel) {
    this.#socket = socket;
    this.#isEncrypted = socket instanceof TLSSocket;
    this.#timers = timers;
    this.#framing = framingOf(headers);
    if (this.#framing.isWhole) this.end(undefined);
  }

  next(): Promise<Uint8Array | undefined> {
    if (this.#lent) returnBuffer(this.#lent);
    this.#lent = undefined;
    const next = new Promise<Uint8Array | undefined>(this.#wait);
    if (this.#cameBytes > 0 || this.#isOver) this.#tell();
    else this.#readSoon();
    return next;
  }

  /** Takes what was read of the socket: a view of READ_BUFFER, or the rest of what the head came in. */
  take(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#readBytes += bytes.length;
    // What fills a buffer is told; growing ones for a backlog would make it longer.
    if (this.#came && this.#cameBytes + bytes.length > this.#came.length) this.#tell();
    // TLS may give something although nobody asks.
    this.#came = withRoom(this.#came, this.#cameBytes, this.#cameBytes + bytes.length);
    try {
      this.#cameBytes = this.#framing.unframe(bytes, this.#came, this.#cameBytes);
    } catch (error) {
      this.end(error as Error);
      return;
    }
    if (this.#framing.isWhole) this.end(undefined);
    // TLS gives what one read brought record by record: all of it is told together.
    else if (this.#isEncrypted) this.#tellLater();
    else this.#tell();
  }

  /** The connection is over; with an error when it broke. */
  end(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const isWhole = this.#framing.isWhole || (this.#framing.endsWithConnection && !error);
    if (!isWhole) this.fault = error ?? new Error('the connection ended in the middle of the body');
    this.#socket.destroy();
    this.#tell();
  }

  close(): void {
    this.end(new Error('closed'));
  }

  #readSoon(): void {
    const nowMs = this.#timers.now();
    const isBacklog = this.#readBytes >= BACKLOG_BYTES;
    this.#dueMs = isBacklog ? nowMs : Math.max(nowMs, this.#dueMs + LONGEST_GATHER_MS * this.#timers.load);
    if (this.#dueMs <= nowMs) this.#read();
    else this.#timers.set(this.#nextRead, this.#dueMs);
  }

  /** From now on the socket may read, once (see media-transport.ts). */
  #read(): void {
    if (this.#isOver) return;
    this.#readBytes = 0;
    this.#socket.resume();
  }

  readonly #wait = (resolve: (bytes: Uint8Array | undefined) => void) => {
    this.#waiting = resolve;
  };

  /** Tells what has come once another body is given something, or this turn of the event loop is over. */
  #tellLater(): void {
    const other = MediaBody.#untold;
    if (other === this) return;
    MediaBody.#untold = this;
    if (other) other.#tell();
    else setImmediate(MediaBody.#tellUntold);
  }

  static readonly #tellUntold = () => {
    const body = MediaBody.#untold;
    MediaBody.#untold = undefined;
    if (body) body.#tell();
  };

  /** Gives whoever waits what has come. */
  #tell(): void {
    const tell = this.#waiting;
    if (!tell) return;
    if (this.#came && this.#cameBytes > 0) {
      const bytes = this.#came.subarray(0, this.#cameBytes);
      this.#lent = this.#came;
      this.#came = undefined;
      this.#cameBytes = 0;
      this.#waiting = undefined;
      tell(bytes);
    } else if (this.#isOver) {
      this.#waiting = undefined;
      tell(undefined);
    } else {
      // Only framing came.
      this.#readSoon();
    }
  }
}
