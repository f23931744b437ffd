import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';

/** RFC 6455, 5.2: the whole message in one frame, binary or a ping. */
const BINARY = 0x82;
const PING = 0x89;
const MASKED = 0x80;
const MASK_BYTES = 4;
/** A payload of up to 125 bytes has its length in the header's second byte; up to 64 KiB in two more. */
const LONGEST_SHORT = 125;
const LENGTH_IN_TWO = 126;
const LONGEST_PAYLOAD = 0xffff;
/** Room for what one read of a call gives: it grows where that is more. */
const USUAL_BYTES = 4096;
/** Keys are drawn so many at a time. */
const KEYS = new Int32Array(1024);
let keysLeft = 0;

/**
 * Writes audio and pings as frames on a WebSocket's own connection, all that is sent in one go as one write. `ws` makes
 * a buffer, a mask by single bytes and a write of its own for every message, which costs more than all else that is
 * done to audio. Frames are whole messages, so those that `ws` writes between them are in nobody's way, as long as
 * `flush` comes first.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #isMasked: boolean;
  readonly #onTaken: () => void;
  #buffer = Buffer.allocUnsafeSlow(USUAL_BYTES);
  #length = 0;
  /** Whether the network has not taken yet what is in the buffer. */
  #isLent = false;
  #isScheduled = false;

  /**
   * @param isEncrypted RFC 6455, 10.3: masking keeps what a peer sends from being taken for something else by what lies
   * between. Inside TLS nothing lies between, and a mask of zeros saves that work.
   * @param onTaken called when the network has taken what was written
   */
  constructor(socket: Socket, isEncrypted: boolean, onTaken: () => void) {
    this.#socket = socket;
    this.#isMasked = !isEncrypted;
    this.#onTaken = onTaken;
  }

  /** Bytes that wait for the end of this go. */
  get pendingBytes(): number {
    return this.#length;
  }

  /** Sends 2-channel PCM as one message, at the end of what is done now. */
  audio(pcm: Uint8Array): void {
    if (pcm.length > LONGEST_PAYLOAD) throw new RangeError(`a message of ${pcm.length} bytes`);
    const key = this.#begin(BINARY, pcm.length);
    if (key === 0) this.#buffer.set(pcm, this.#length);
    else mask(pcm, key, this.#buffer, this.#length);
    this.#length += pcm.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.flush);
  }

  /** Sends a ping, and all that waits before it. */
  ping(text: string): void {
    const payload = Buffer.from(text, 'latin1');
    const key = this.#begin(PING, payload.length);
    mask(payload, key, this.#buffer, this.#length);
    this.#length += payload.length;
    this.flush();
  }

  /** Writes what waits. */
  readonly flush = (): void => {
    this.#isScheduled = false;
    if (this.#length === 0 || this.#socket.destroyed) {
      this.#length = 0;
      return;
    }
    const buffer = this.#buffer;
    this.#isLent = true;
    this.#socket.write(buffer.subarray(0, this.#length), () => {
      if (buffer === this.#buffer) this.#isLent = false;
      this.#onTaken();
    });
    this.#length = 0;
  };

  /** Writes a frame's header, and gives the key that its payload is to be masked with. */
  #begin(opcode: number, payloadBytes: number): number {
    const isShort = payloadBytes <= LONGEST_SHORT;
    const headerBytes = (isShort ? 2 : 4) + MASK_BYTES;
    this.#makeRoomFor(headerBytes + payloadBytes);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = opcode;
    buffer[at++] = MASKED | (isShort ? payloadBytes : LENGTH_IN_TWO);
    if (!isShort) at = buffer.writeUInt16BE(payloadBytes, at);
    const key = this.#isMasked ? freshKey() : 0;
    this.#length = buffer.writeInt32LE(key, at);
    return key;
  }

  #makeRoomFor(bytes: number): void {
    const needed = this.#length + bytes;
    if (!this.#isLent && needed <= this.#buffer.length) return;
    const other = Buffer.allocUnsafeSlow(Math.max(needed, USUAL_BYTES));
    // What is lent has been written out: nothing of it belongs into the next write.
    this.#buffer.copy(other, 0, 0, this.#length);
    this.#buffer = other;
    this.#isLent = false;
  }
}

function freshKey(): number {
  if (keysLeft === 0) {
    randomFillSync(KEYS);
    keysLeft = KEYS.length;
  }
  return KEYS[--keysLeft] as number;
}

/** RFC 6455, 5.3, by words where both lie at whole words, as audio does; `key` is the mask's four bytes, little-endian. */
function mask(payload: Uint8Array, key: number, into: Buffer, at: number): void {
  let done = 0;
  if ((payload.byteOffset | (into.byteOffset + at)) % MASK_BYTES === 0) {
    const words = payload.length >> 2;
    const from = new Int32Array(payload.buffer, payload.byteOffset, words);
    const to = new Int32Array(into.buffer, into.byteOffset + at, words);
    for (let i = 0; i < words; i++) to[i] = (from[i] as number) ^ key;
    done = words * MASK_BYTES;
  }
  for (; done < payload.length; done++)
    into[at + done] = (payload[done] as number) ^ (key >> ((done % MASK_BYTES) * 8));
}
