const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const SEMICOLON = 0x3b;
/** No real chunk has more than 4 GiB. */
const MAX_SIZE_DIGITS = 8;
/** Limit for a chunk's extension, and for the trailer: never seen, but allowed (RFC 9112, 7.1). */
const MAX_LINE_BYTES = 8192;

/** The response is not HTTP/1.1 (RFC 9112). */
export class BadHttp extends Error {
  override readonly name = 'BadHttp';
}

/** Removes the framing from the bytes of one HTTP/1.1 body. */
export interface BodyFraming {
  /**
   * Copies the content in the first `length` of `bytes` to `into` at `at`, which must have room for all of them. Returns
   * the index after the content. Bytes after the end of the body are ignored. Throws BadHttp.
   */
  unframe(bytes: Buffer, length: number, into: Uint8Array, at: number): number;
  readonly isComplete: boolean;
  /** Whether the end of the connection completes the body. */
  readonly endsWithConnection: boolean;
}

/** The framing that the response's headers announce (RFC 9112, 6.3). Throws BadHttp. */
export function framingOf(headers: Readonly<Record<string, string>>): BodyFraming {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) {
    if (coding.trim().toLowerCase() !== 'chunked') throw new BadHttp(`unsupported transfer-encoding: ${coding}`);
    return new Chunked();
  }
  const length = headers['content-length'];
  if (length === undefined) return new Counted(Infinity);
  if (!/^\d{1,15}$/.test(length)) throw new BadHttp('the content-length is not a number');
  return new Counted(Number(length));
}

/** A body of known length, or one that lasts until the connection ends. */
class Counted implements BodyFraming {
  readonly endsWithConnection: boolean;
  #left: number;

  constructor(length: number) {
    this.#left = length;
    this.endsWithConnection = length === Infinity;
  }

  get isComplete(): boolean {
    return this.#left === 0;
  }

  unframe(bytes: Buffer, length: number, into: Uint8Array, at: number): number {
    const copied = bytes.copy(into, at, 0, Math.min(length, this.#left));
    this.#left -= copied;
    return at + copied;
  }
}

/** What comes next in a chunked body. */
type Expected =
  | 'size'
  | 'extension'
  | 'LF of size'
  | 'content'
  | 'CR of content'
  | 'LF of content'
  | 'trailer'
  | 'LF of trailer'
  | 'nothing';

/** RFC 9112, 7.1: repeats a size in hex and that many bytes, until a size of 0 and the trailer. */
class Chunked implements BodyFraming {
  readonly endsWithConnection = false;
  #expected: Expected = 'size';
  #digits = 0;
  #left = 0;
  /** Length so far of the extension, or of the trailer's current line. */
  #lineBytes = 0;
  #trailerBytes = 0;

  get isComplete(): boolean {
    return this.#expected === 'nothing';
  }

  unframe(bytes: Buffer, length: number, into: Uint8Array, at: number): number {
    let end = at;
    let from = 0;
    while (from < length && !this.isComplete) {
      if (this.#expected === 'content') {
        const to = Math.min(length, from + this.#left);
        end += bytes.copy(into, end, from, to);
        this.#left -= to - from;
        from = to;
        if (this.#left === 0) this.#expected = 'CR of content';
      } else {
        this.#expected = this.#after(bytes[from++] as number);
      }
    }
    return end;
  }

  /** What comes after this byte of framing. */
  #after(byte: number): Expected {
    switch (this.#expected) {
      case 'size':
        return this.#afterSize(byte);
      case 'extension':
        return this.#afterExtension(byte);
      case 'LF of size':
        mustBe(LF, byte, 'a chunk size without LF');
        this.#digits = 0;
        return this.#left === 0 ? 'trailer' : 'content';
      case 'CR of content':
        mustBe(CR, byte, 'a chunk longer than its size');
        return 'LF of content';
      case 'LF of content':
        mustBe(LF, byte, 'a chunk without LF');
        return 'size';
      case 'trailer':
        return this.#afterTrailer(byte);
      default:
        mustBe(LF, byte, 'a trailer line without LF');
        // An empty line ends the trailer.
        if (this.#lineBytes === 0) return 'nothing';
        this.#lineBytes = 0;
        return 'trailer';
    }
  }

  #afterSize(byte: number): Expected {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (++this.#digits > MAX_SIZE_DIGITS) throw new BadHttp('a chunk size with too many digits');
      this.#left = this.#left * 16 + digit;
      return 'size';
    }
    if (this.#digits === 0) throw new BadHttp('a chunk size is missing');
    if (byte === CR) return 'LF of size';
    if (byte !== SEMICOLON && byte !== SPACE && byte !== TAB) throw new BadHttp('a chunk size that is not a number');
    this.#lineBytes = 1;
    return 'extension';
  }

  #afterExtension(byte: number): Expected {
    if (byte === CR) {
      this.#lineBytes = 0;
      return 'LF of size';
    }
    if (byte === LF) throw new BadHttp('a chunk extension without CR');
    if (++this.#lineBytes > MAX_LINE_BYTES) throw new BadHttp('a chunk extension that is too long');
    return 'extension';
  }

  #afterTrailer(byte: number): Expected {
    if (byte === CR) return 'LF of trailer';
    if (byte === LF) throw new BadHttp('a trailer line without CR');
    this.#lineBytes++;
    if (++this.#trailerBytes > MAX_LINE_BYTES) throw new BadHttp('a trailer that is too long');
    return 'trailer';
  }
}

function mustBe(expected: number, byte: number, message: string): void {
  if (byte !== expected) throw new BadHttp(message);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
