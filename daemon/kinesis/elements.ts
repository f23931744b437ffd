import { ID } from './matroska.ts';
import { readSize, readUint, vintLength } from './vint.ts';

/** A track as its TrackEntry describes it. Connect names its two; the number is only valid within one fragment. */
export interface Track {
  readonly number: number;
  readonly name: string;
}

const NUL = 0;
const BLANK = 0x20;

/** The track that the bytes of a TrackEntry describe; undefined when they are broken or have no number. */
export function readTrackEntry(bytes: Buffer, from: number, to: number): Track | undefined {
  let number = 0;
  let name = '';
  const children = new Children(bytes, from, to);
  while (children.next()) {
    if (children.id === ID.trackNumber) number = readUint(bytes, children.from, children.to - children.from);
    else if (children.id === ID.trackName) name = readText(bytes, children.from, children.to);
  }
  return children.areWhole && number > 0 ? { number, name } : undefined;
}

/** Name and value of a SimpleTag's bytes, in whichever order they stand; undefined when they are broken. */
export function readSimpleTag(bytes: Buffer, from: number, to: number): { name: string; value: string } | undefined {
  let name = '';
  let value = '';
  const children = new Children(bytes, from, to);
  while (children.next()) {
    if (children.id === ID.tagName) name = readText(bytes, children.from, children.to);
    else if (children.id === ID.tagString) value = readText(bytes, children.from, children.to);
  }
  return children.areWhole ? { name, value } : undefined;
}

/** Matroska pads strings with NULs, and real producers with blanks too (captures/test_mixed_tags.mkv). */
function readText(bytes: Buffer, from: number, to: number): string {
  let end = to;
  while (end > from && (bytes[end - 1] === NUL || bytes[end - 1] === BLANK)) end--;
  return bytes.toString('utf8', from, end);
}

/** Goes through the children of a small master. */
class Children {
  id = 0;
  /** Where the child's payload is. */
  from = 0;
  to: number;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(bytes: Buffer, from: number, end: number) {
    this.#bytes = bytes;
    this.to = from;
    this.#end = end;
  }

  /** Whether the children that `next` went through fill the master exactly. */
  get areWhole(): boolean {
    return this.to === this.#end;
  }

  /** Goes to the next child; false when there is none, or it is broken. */
  next(): boolean {
    const bytes = this.#bytes;
    const at = this.to;
    if (at >= this.#end) return false;
    const idLength = vintLength(bytes[at] as number);
    if (idLength > 4 || at + idLength >= this.#end) return false;
    const sizeLength = vintLength(bytes[at + idLength] as number);
    const from = at + idLength + sizeLength;
    if (sizeLength > 8 || from > this.#end) return false;
    const size = readSize(bytes, at + idLength, sizeLength);
    if (size < 0 || size > this.#end - from) return false;
    this.id = readUint(bytes, at, idLength);
    this.from = from;
    this.to = from + size;
    return true;
  }
}
