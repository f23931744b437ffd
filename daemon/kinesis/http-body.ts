const CR = 0x0d;
const LF = 0x0a;
/** A chunk of more than 4 GiB is none. */
const MAX_SIZE_DIGITS = 8;
/** Chunk extensions and trailers: nobody sends them, anybody may (RFC 9112, 7.1). */
const MAX_LINE_BYTES = 8192;

/** The answer is not HTTP as RFC 9112 has it. */
export class BadHttp extends Error {
  override readonly name = 'BadHttp';
}

/** Takes the framing away from the bytes of one HTTP/1.1 body. */
export interface BodyFraming {
  /**
   * Copies the content that is in `bytes` to `into` at `at`, which has room for as many. Gives the index after it.
   * Throws BadHttp.
   */
  unframe(bytes: Uint8Array, into: Uint8Array, at: number): number;
  /** Whether the body is whole. */
  readonly isWhole: boolean;
  /** Whether it may end with the connection: then the end is what makes it whole. */
  readonly endsWithConnection: boolean;
}

/** The framing that the head of an answer announces (RFC 9112, 6.3). Throws BadHttp. */
export function framingOf(headers: Readonly<Record<string, string>>): BodyFraming {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) {
    if (coding.trim().toLowerCase() !== 'chunked') throw new BadHttp(`transfer-encoding ${coding} is not known`);
    return new Chunked();
  }
  const length = headers['content-length'];
  if (length === undefined) return new Counted(Infinity);
  if (!/^\d{1,15}$/.test(length)) throw new BadHttp('a content-length that is no number');
  return new Counted(Number(length));
}

/** A body of known length, or one that goes on until the connection ends. */
class Counted implements BodyFraming {
  readonly endsWithConnection: boolean;
  #left: number;

  constructor(length: number) {
    this.#left = length;
    this.endsWithConnection = length === Infinity;
  }

  get isWhole(): boolean {
    return this.#left === 0;
  }

  unframe(bytes: Uint8Array, into: Uint8Array, at: number): number {
    const content = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    into.set(content, at);
    this.#left -= content.length;
    return at + content.length;
  }
}

/** What of a chunked body comes next. */
type Expected = 'size' | 'extension' | 'content' | 'end-of-content' | 'trailer' | 'nothing';

/** RFC 9112, 7.1: a size in hex, that many bytes, and again, until a size of 0 and the trailer. */
class Chunked implements BodyFraming {
  readonly endsWithConnection = false;
  #expected: Expected = 'size';
  #digits = 0;
  #left = 0;
  #lineBytes = 0;

  get isWhole(): boolean {
    return this.#expected === 'nothing';
  }

  unframe(bytes: Uint8Array, into: Uint8Array, at: number): number {
    let end = at;
    let from = 0;
    while (from < bytes.length) {
      if (this.#expected === 'content') {
        const to = Math.min(bytes.length, from + this.#left);
        into.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), end);
        end += to - from;
        this.#left -= to - from;
        from = to;
        if (this.#left === 0) this.#expected = 'end-of-content';
      } else if (this.#expected === 'nothing') {
        throw new BadHttp('bytes after the last chunk');
      } else {
        this.#take(bytes[from++] as number);
      }
    }
    return end;
  }

  #take(byte: number): void {
    if (this.#expected === 'size') this.#takeSize(byte);
    else if (this.#expected === 'extension') this.#takeExtension(byte);
    else if (this.#expected === 'end-of-content') this.#takeEndOfContent(byte);
    else this.#takeTrailer(byte);
  }

  #takeSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (++this.#digits > MAX_SIZE_DIGITS) throw new BadHttp('a chunk size of too many digits');
      this.#left = this.#left * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw new BadHttp('no chunk size where one must stand');
    this.#lineBytes = 0;
    this.#expected = 'extension';
    this.#takeExtension(byte);
  }

  #takeExtension(byte: number): void {
    if (++this.#lineBytes > MAX_LINE_BYTES) throw new BadHttp('a chunk extension without an end');
    if (byte !== LF) return;
    this.#digits = 0;
    this.#lineBytes = 0;
    this.#expected = this.#left === 0 ? 'trailer' : 'content';
  }

  #takeEndOfContent(byte: number): void {
    if (byte === LF) this.#expected = 'size';
    else if (byte !== CR) throw new BadHttp('a chunk longer than its size');
  }

  /** Field lines up to an empty one. */
  #takeTrailer(byte: number): void {
    if (byte === CR) return;
    if (byte !== LF) {
      if (++this.#lineBytes > MAX_LINE_BYTES) throw new BadHttp('a trailer without an end');
    } else if (this.#lineBytes === 0) {
      this.#expected = 'nothing';
    } else {
      this.#lineBytes = 0;
    }
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
