import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';
import { borrowBuffer, returnBuffer } from '../runtime/buffer-pool.ts';

/** RFC 6455, 5.2: the whole message in one frame, binary or a ping. */
const BINARY = 0x82;
const PING = 0x89;
const MASKED = 0x80;
const MASK_BYTES = 4;
/** A payload of up to 125 bytes has its length in the header's second byte; up to 64 KiB in two more. */
const LONGEST_SHORT = 125;
const LENGTH_IN_TWO = 126;
const LONGEST_PAYLOAD = 0xffff;
/** Keys are drawn so many at a time. */
const KEYS = new Int32Array(1024);
let keysLeft = 0;

/**
 * Writes audio and pings as frames on a WebSocket's own connection, what is sent in one go as one write. `ws` makes
 * a buffer, a mask by single bytes and a write of its own for every message, which costs more than all else that is
 * done to audio. Frames are whole messages, so those that `ws` writes between them are in nobody's way, as long as
 * `flush` comes first.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #isMasked: boolean;
  readonly #onTaken: () => void;
  /** What waits to be written. */
  #buffer: Buffer | undefined;
  #length = 0;
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
    this.#add(BINARY, pcm);
  }

  /** Sends a ping, at the end of what is done now. Audio after it is masked fastest when a frame of it is whole words. */
  ping(text: string): void {
    this.#add(PING, Buffer.from(text, 'latin1'));
  }

  /** Writes what waits. */
  readonly flush = (): void => {
    this.#isScheduled = false;
    this.#write();
  };

  #write(): void {
    const buffer = this.#buffer;
    if (!buffer) return;
    const written = buffer.subarray(0, this.#length);
    this.#buffer = undefined;
    this.#length = 0;
    if (this.#socket.destroyed) {
      returnBuffer(buffer);
      return;
    }
    this.#socket.write(written, () => {
      returnBuffer(buffer);
      this.#onTaken();
    });
  }

  #add(opcode: number, payload: Uint8Array): void {
    const isShort = payload.length <= LONGEST_SHORT;
    const headerBytes = (isShort ? 2 : 4) + MASK_BYTES;
    const needed = headerBytes + payload.length;
    if (this.#buffer && this.#length + needed > this.#buffer.length) this.#write();
    this.#buffer ??= borrowBuffer(needed);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = opcode;
    buffer[at++] = MASKED | (isShort ? payload.length : LENGTH_IN_TWO);
    if (!isShort) at = buffer.writeUInt16BE(payload.length, at);
    const key = this.#isMasked ? freshKey() : 0;
    at = buffer.writeInt32LE(key, at);
    if (key === 0) buffer.set(payload, at);
    else mask(payload, key, buffer, at);
    this.#length = at + payload.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.flush);
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
