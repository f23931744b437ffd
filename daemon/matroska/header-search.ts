import { EBML_HEADER, EBML_VERSION } from './element-ids.ts';
import { vintLength } from './vint.ts';

/** The most bytes that tell a header: its id, its size, invalid or not, and the id of its first child. */
export const LONGEST_HEADER_START = EBML_HEADER.length + vintLength(0) + EBML_VERSION.length;

/** Finds EBML headers in a run of bytes. Scans each byte once, however often it is called. */
export class HeaderSearch {
  /** Position of the first header at or after the last `from`; Infinity: none. */
  #next = -1;

  /** Starts over: other bytes follow. They are not kept: V8 has to note each old object that points to a new one. */
  restart(): void {
    this.#next = -1;
  }

  /** Position of the next header at or after `from`; Infinity when there is none. */
  next(bytes: Buffer, from: number): number {
    if (this.#next < from) {
      const found = bytes.indexOf(EBML_HEADER, from);
      this.#next = found < 0 ? Infinity : found;
    }
    return this.#next;
  }

  /**
   * Position of the first whole header in the bytes `from` up to `to`; Infinity if there is none. With a thousand calls,
   * audio contains the four bytes of its id once in a few hours, but not with EBMLVersion's id in the right place after.
   */
  within(bytes: Buffer, from: number, to: number): number {
    for (let at = this.next(bytes, from); at + EBML_HEADER.length <= to; at = this.next(bytes, at + 1)) {
      const sizeAt = at + EBML_HEADER.length;
      const childAt = sizeAt + (sizeAt < to ? vintLength(bytes[sizeAt] as number) : 0);
      if (childAt + EBML_VERSION.length <= to && EBML_VERSION.every((byte, i) => bytes[childAt + i] === byte)) {
        return at;
      }
    }
    return Infinity;
  }
}

/** How many of the last bytes, not before `from`, could be the beginning of a header's id: 0 to 3. */
export function cutOffHeader(bytes: Buffer, from: number): number {
  for (let length = Math.min(EBML_HEADER.length - 1, bytes.length - from); length > 0; length--) {
    const isBeginning = EBML_HEADER.subarray(0, length).every((byte, i) => bytes[bytes.length - length + i] === byte);
    if (isBeginning) return length;
  }
  return 0;
}
