/** RFC 6455 for a server that receives much and sends little: reads clients' frames incrementally and leaves unmasking
 *  to the code that needs the bytes. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const FIN = 0x80;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MASK_BYTES = 4;
const LONGEST_HEADER_BYTES = 14;
const LONGEST_TEXT_BYTES = 64 * 1024;

/** A part of a frame's payload, still masked: byte `i` is `bytes[i] ^ mask[(i - from + phase) & 3]`. */
export interface Masked {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly mask: Uint8Array;
  readonly phase: number;
}

interface FrameEvents {
  /** The next bytes of a binary message. */
  audio(run: Masked): void;
  /** The end of a binary message of `bytes` bytes. */
  audioEnd(bytes: number): void;
  text(text: string): void;
  /** A ping, pong or close. */
  control(opcode: number, payload: Buffer): void;
}

/** The client violated RFC 6455. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame';
}

/** Reads a client's frames from chunks that may be split anywhere. */
export class ClientFrames {
  readonly #events: FrameEvents;
  readonly #header = Buffer.alloc(LONGEST_HEADER_BYTES);
  #headerBytes = 0;
  #headerNeeds = 2;
  readonly #mask = new Uint8Array(MASK_BYTES);
  #opcode = 0;
  #isLast = true;
  /** Opcode of the message that continuation frames belong to. */
  #message: number = OPCODE.binary;
  #messageBytes = 0;
  #left = 0;
  #phase = 0;
  /** Parts of a text message, and of a control frame, which may come in the middle of a message. */
  #textParts: Buffer[] = [];
  #controlParts: Buffer[] = [];

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /** Reads the next bytes. Throws BadFrame. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#left > 0 ? this.#payload(chunk, at) : this.#head(chunk, at);
  }

  #head(chunk: Buffer, from: number): number {
    let at = from;
    while (this.#headerBytes < this.#headerNeeds) {
      if (at === chunk.length) return at;
      this.#header[this.#headerBytes++] = chunk[at++] as number;
      if (this.#headerBytes !== 2) continue;
      const second = this.#header[1] as number;
      if ((second & MASKED) === 0) throw new BadFrame('a client must mask its frames');
      this.#headerNeeds = headerBytes(second);
    }
    this.#headerBytes = 0;
    this.#headerNeeds = 2;
    this.#begin();
    if (this.#left === 0) this.#end();
    return at;
  }

  #begin(): void {
    const [first = 0, second = 0] = this.#header;
    this.#isLast = (first & FIN) !== 0;
    this.#opcode = first & 0x0f;
    const length = second & 0x7f;
    this.#left =
      length === LENGTH_64
        ? Number(this.#header.readBigUInt64BE(2))
        : length === LENGTH_16
          ? this.#header.readUInt16BE(2)
          : length;
    const maskAt = headerBytes(second) - MASK_BYTES;
    for (let i = 0; i < MASK_BYTES; i++) this.#mask[i] = this.#header[maskAt + i] as number;
    this.#phase = 0;
    if (this.#opcode === OPCODE.continuation) this.#opcode = this.#message;
    else if (this.#opcode < OPCODE.close) {
      this.#message = this.#opcode;
      this.#messageBytes = 0;
    }
    if (this.#opcode !== OPCODE.binary && this.#left > LONGEST_TEXT_BYTES)
      throw new BadFrame(`text message of ${this.#left} bytes`);
  }

  #payload(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.#left);
    const run = { bytes: chunk, from, to, mask: this.#mask, phase: this.#phase };
    if (this.#opcode === OPCODE.binary) this.#events.audio(run);
    else (this.#opcode === OPCODE.text ? this.#textParts : this.#controlParts).push(unmasked(run));
    this.#phase = (this.#phase + to - from) & 3;
    this.#left -= to - from;
    if (this.#opcode === OPCODE.binary) this.#messageBytes += to - from;
    if (this.#left === 0) this.#end();
    return to;
  }

  #end(): void {
    if (this.#opcode === OPCODE.binary) {
      if (this.#isLast) this.#events.audioEnd(this.#messageBytes);
    } else if (this.#opcode === OPCODE.text) {
      if (!this.#isLast) return;
      const text = Buffer.concat(this.#textParts).toString();
      this.#textParts = [];
      this.#events.text(text);
    } else {
      const payload = Buffer.concat(this.#controlParts);
      this.#controlParts = [];
      this.#events.control(this.#opcode, payload);
    }
  }
}

/** A complete, unmasked server frame. */
export function serverFrame(opcode: number, payload: Buffer): Buffer {
  if (payload.length < LENGTH_16) return Buffer.concat([Buffer.of(FIN | opcode, payload.length), payload]);
  const header = Buffer.of(FIN | opcode, LENGTH_16, 0, 0);
  header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

/** Writes the unmasked bytes into `out` at `at`. */
export function unmask({ bytes, from, to, mask, phase }: Masked, out: Buffer, at: number): void {
  for (let i = from, o = at, m = phase; i < to; i++, o++, m++) out[o] = (bytes[i] as number) ^ (mask[m & 3] as number);
}

function unmasked(run: Masked): Buffer {
  const out = Buffer.alloc(run.to - run.from);
  unmask(run, out, 0);
  return out;
}

function headerBytes(second: number): number {
  const length = second & 0x7f;
  return 2 + (length === LENGTH_64 ? 8 : length === LENGTH_16 ? 2 : 0) + MASK_BYTES;
}
