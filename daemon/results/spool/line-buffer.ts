import { LINE_HEAD_BYTES, type SpoolLine } from './record.ts';

const FIRST_BYTES = 64 * 1024;
/** What has grown beyond this is not kept. */
const MOST_KEPT_BYTES = 1024 * 1024;
/** UTF-8 takes at most this for a unit of UTF-16. */
const UTF8_BYTES = 3;

/**
 * Lines as bytes, in one buffer that is used again and again: buffers per line would keep the garbage collector busy, and
 * V8 keeps those that wait in a list until a major collection.
 */
export class LineBuffer {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #end = 0;

  /** Bytes of the lines that were added and not taken. */
  get length(): number {
    return this.#end;
  }

  add({ record, body }: SpoolLine): void {
    const text = JSON.stringify(record);
    const from = this.#end;
    this.#fit(from + LINE_HEAD_BYTES + text.length * UTF8_BYTES + body.length);
    const textBytes = this.#bytes.write(text, from + LINE_HEAD_BYTES);
    this.#bytes.writeUInt32BE(textBytes, from);
    this.#bytes.writeUInt32BE(body.length, from + 4);
    const bodyAt = from + LINE_HEAD_BYTES + textBytes;
    this.#bytes.set(body, bodyAt);
    this.#end = bodyAt + body.length;
  }

  /** The lines, which are removed. The bytes are lent until the next `add`. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#end);
    this.#end = 0;
    if (this.#bytes.length > MOST_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    return taken;
  }

  #fit(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(bytes * 2);
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}
