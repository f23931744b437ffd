import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';
import { borrowBuffer, returnBuffer } from '../runtime/buffer-pool.ts';

/** RFC 6455, 5.2: a final frame, binary or a ping. */
const BINARY = 0x82;
const PING = 0x89;
const MASKED = 0x80;
const MASK_BYTES = 4;
/** Words that are masked in one turn of the loop: a tenth faster than one. */
const UNROLLED = 4;
/** RFC 6455, 5.2: lengths up to 125 fit in the header's second byte; up to 64 KiB take two more. */
const LONGEST_SHORT = 125;
const LENGTH_IN_TWO = 126;
const LONGEST_PAYLOAD = 0xffff;
const LONGEST_HEADER = 4 + MASK_BYTES;
/** The buffer that was written to last, and its words: frames are written into the same few buffers again and again. */
let target: Buffer | undefined;
let targetWords: Int32Array = new Int32Array(0);
/** A pool of masking keys: one call to the random generator fills it. */
const KEYS = new Int32Array(1024);
let keysLeft = 0;

/**
 * Writes audio and pings as frames on a WebSocket's TCP connection; everything sent in one turn of the event loop is
 * one write. `ws` allocates a buffer, masks byte by byte and writes once per message, which costs more than the rest of
 * the audio path. `ws` may write its own frames in between, because each frame is a whole message, if `flush` is called
 * first.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #isMasked: boolean;
  readonly #onTaken: () => void;
  /** Frames not yet written. */
  #buffer: Buffer | undefined;
  #length = 0;
  #isScheduled = false;

  /**
   * @param isEncrypted the connection is TLS: frames are masked with zeros, which saves the work. RFC 6455, 10.3: a
   * mask protects intermediaries, and none can see into TLS
   * @param onTaken called when the kernel has taken what was written
   */
  constructor(socket: Socket, isEncrypted: boolean, onTaken: () => void) {
    this.#socket = socket;
    this.#isMasked = !isEncrypted;
    this.#onTaken = onTaken;
  }

  /** Bytes that the kernel has not taken yet, those of `ws` included. */
  get bufferedBytes(): number {
    return this.#length + this.#socket.writableLength;
  }

  /** Sends frames of 2-channel PCM (AudioRun) as one message, at the end of this turn. */
  audio(frames: Int32Array): void {
    if (frames.byteLength > LONGEST_PAYLOAD)
      throw new RangeError(`a message of ${frames.byteLength} bytes exceeds ${LONGEST_PAYLOAD}`);
    const buffer = this.#bufferFor(frames.byteLength);
    const key = this.#header(buffer, BINARY, frames.byteLength);
    if (this.#length % MASK_BYTES === 0) maskWords(frames, wordsOf(buffer), this.#length / MASK_BYTES, key);
    else maskBytes(new Uint8Array(frames.buffer, frames.byteOffset, frames.byteLength), buffer, this.#length, key);
    this.#length += frames.byteLength;
  }

  /** Sends a ping, at the end of this turn. Audio after it is masked fastest if the ping's frame is whole words. */
  ping(text: string): void {
    const payload = Buffer.from(text, 'latin1');
    const buffer = this.#bufferFor(payload.length);
    const key = this.#header(buffer, PING, payload.length);
    maskBytes(payload, buffer, this.#length, key);
    this.#length += payload.length;
  }

  /** Writes all pending frames now. */
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

  /** The buffer for the next frame, which is written at the end of this turn. */
  #bufferFor(payloadBytes: number): Buffer {
    const needed = LONGEST_HEADER + payloadBytes;
    if (this.#buffer && this.#length + needed > this.#buffer.length) this.#write();
    this.#buffer ??= borrowBuffer(needed);
    if (!this.#isScheduled) process.nextTick(this.flush);
    this.#isScheduled = true;
    return this.#buffer;
  }

  /** Writes a frame's header. Returns the mask's four bytes, little-endian. */
  #header(buffer: Buffer, opcode: number, payloadBytes: number): number {
    const isShort = payloadBytes <= LONGEST_SHORT;
    const key = this.#isMasked ? freshKey() : 0;
    let at = this.#length;
    buffer[at++] = opcode;
    buffer[at++] = MASKED | (isShort ? payloadBytes : LENGTH_IN_TWO);
    if (!isShort) at = buffer.writeUInt16BE(payloadBytes, at);
    this.#length = buffer.writeInt32LE(key, at);
    return key;
  }
}

function freshKey(): number {
  if (keysLeft === 0) {
    randomFillSync(KEYS);
    keysLeft = KEYS.length;
  }
  return KEYS[--keysLeft] as number;
}

/** All whole words of a buffer from the pool. */
function wordsOf(buffer: Buffer): Int32Array {
  if (target !== buffer) {
    target = buffer;
    targetWords = new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length >> 2);
  }
  return targetWords;
}

/** RFC 6455, 5.3, word by word: for audio that is written at a whole word of the buffer. */
function maskWords(from: Int32Array, to: Int32Array, at: number, key: number): void {
  if (key === 0) {
    to.set(from, at);
    return;
  }
  const wholeEnd = from.length - (from.length % UNROLLED);
  for (let i = 0; i < wholeEnd; i += UNROLLED) {
    to[at + i] = (from[i] as number) ^ key;
    to[at + i + 1] = (from[i + 1] as number) ^ key;
    to[at + i + 2] = (from[i + 2] as number) ^ key;
    to[at + i + 3] = (from[i + 3] as number) ^ key;
  }
  for (let i = wholeEnd; i < from.length; i++) to[at + i] = (from[i] as number) ^ key;
}

function maskBytes(from: Uint8Array, to: Uint8Array, at: number, key: number): void {
  for (let i = 0; i < from.length; i++) to[at + i] = (from[i] as number) ^ (key >> ((i % MASK_BYTES) * 8));
}
