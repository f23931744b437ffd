import { ID } from './element-ids.ts';
import { readSize, readUint, vintLength } from './vint.ts';

/** A track, as its TrackEntry describes it. The number is valid only within one fragment. */
export interface Track {
  readonly number: number;
  readonly name: string;
}

const NUL = 0;
const SPACE = 0x20;

/** The track in the bytes of a TrackEntry; undefined when they are malformed or lack a number. */
export function readTrackEntry(bytes: Buffer, from: number, to: number): Track | undefined {
  let number = 0;
  let name = '';
  const children = new Children(bytes, from, to);
  while (children.next()) {
    if (children.id === ID.TrackNumber) number = readUint(bytes, children.from, children.to - children.from);
    else if (children.id === ID.Name) name = readText(bytes, children.from, children.to);
  }
  return children.areComplete && number > 0 ? { number, name } : undefined;
}

export interface TagEvents {
  /**
   * The name in the UTF-8 bytes `from` up to `to`, without padding; undefined to ignore the tag, whose value is not
   * parsed then.
   */
  tagName(bytes: Buffer, from: number, to: number): string | undefined;
  tag(name: string, value: string): void;
}

/**
 * Emits the tag in the bytes of a SimpleTag, in any order of its children. Returns false, and emits nothing, if
 * malformed.
 */
export function emitSimpleTag(bytes: Buffer, from: number, to: number, events: TagEvents): boolean {
  let [nameFrom, nameTo, valueFrom, valueTo] = [to, to, to, to];
  const children = new Children(bytes, from, to);
  while (children.next()) {
    if (children.id === ID.TagName) [nameFrom, nameTo] = [children.from, children.to];
    else if (children.id === ID.TagString) [valueFrom, valueTo] = [children.from, children.to];
  }
  if (!children.areComplete) return false;
  const name = events.tagName(bytes, nameFrom, endOfText(bytes, nameFrom, nameTo));
  if (name !== undefined) events.tag(name, readText(bytes, valueFrom, valueTo));
  return true;
}

function readText(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('utf8', from, endOfText(bytes, from, to));
}

/** Matroska pads strings with NULs, and real producers with spaces too (captures/test_mixed_tags.mkv). */
function endOfText(bytes: Buffer, from: number, to: number): number {
  let end = to;
  while (end > from && (bytes[end - 1] === NUL || bytes[end - 1] === SPACE)) end--;
  return end;
}

/** Iterates over the children of a small master. */
class Children {
  id = 0;
  /** The child's payload. */
  from = 0;
  to: number;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(bytes: Buffer, from: number, end: number) {
    this.#bytes = bytes;
    this.to = from;
    this.#end = end;
  }

  /** Whether the children seen so far fill the master exactly. */
  get areComplete(): boolean {
    return this.to === this.#end;
  }

  /** Moves to the next child; false at the end, or if the child is malformed. */
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
