import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';
import { borrowBuffer, returnBuffer } from '../runtime/buffer-pool.ts';

/** RFC 6455, 5.2: a final frame, binary or a ping. */
const BINARY = 0x82;
const PING = 0x89;
const MASKED = 0x80;
const MASK_BYTES = 4;
/** RFC 6455, 5.2: lengths up to 125 fit in the header's second byte; up to 64 KiB take two more. */
const LONGEST_SHORT = 125;
const LENGTH_IN_TWO = 126;
const LONGEST_PAYLOAD = 0xffff;
/** The words of the buffer that was masked into last: frames are written into the same few buffers again and again. */
let targetWords = new Int32Array(0);
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
  /** The words of the buffer that audio comes from: it is the same as long as that does not grow. */
  #sourceWords = new Int32Array(0);
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

  /** Sends 2-channel PCM as one message, at the end of this turn. */
  audio(pcm: Uint8Array): void {
    if (pcm.length > LONGEST_PAYLOAD)
      throw new RangeError(`a message of ${pcm.length} bytes exceeds ${LONGEST_PAYLOAD}`);
    this.#add(BINARY, pcm);
  }

  /** Sends a ping, at the end of this turn. Audio after it is masked fastest if the ping's frame is whole words. */
  ping(text: string): void {
    this.#add(PING, Buffer.from(text, 'latin1'));
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
    else this.#mask(payload, key, buffer, at);
    this.#length = at + payload.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.flush);
  }

  /**
   * RFC 6455, 5.3: masks word by word where source and target are aligned, as audio is.
   * @param key the mask's four bytes, little-endian
   */
  #mask(payload: Uint8Array, key: number, into: Buffer, at: number): void {
    let done = 0;
    // A ping comes from another buffer than audio, and is short.
    if (payload.length > LONGEST_SHORT && (payload.byteOffset | (into.byteOffset + at)) % MASK_BYTES === 0) {
      if (this.#sourceWords.buffer !== payload.buffer) this.#sourceWords = wordsOf(payload);
      if (targetWords.buffer !== into.buffer) targetWords = wordsOf(into);
      const words = payload.length >> 2;
      maskWords(this.#sourceWords, payload.byteOffset >> 2, targetWords, (into.byteOffset + at) >> 2, words, key);
      done = words * MASK_BYTES;
    }
    for (; done < payload.length; done++)
      into[at + done] = (payload[done] as number) ^ (key >> ((done % MASK_BYTES) * 8));
  }
}

function freshKey(): number {
  if (keysLeft === 0) {
    randomFillSync(KEYS);
    keysLeft = KEYS.length;
  }
  return KEYS[--keysLeft] as number;
}

/** All whole words of the buffer that `bytes` is a part of. */
function wordsOf({ buffer }: Uint8Array): Int32Array<ArrayBuffer> {
  return new Int32Array(buffer as ArrayBuffer, 0, buffer.byteLength >> 2);
}

function maskWords(from: Int32Array, fromAt: number, to: Int32Array, toAt: number, words: number, key: number): void {
  for (let i = 0; i < words; i++) to[toAt + i] = (from[fromAt + i] as number) ^ key;
}
