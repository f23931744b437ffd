import { ID } from './matroska.ts';
import { readId, readSize, readUint, vintLength } from './vint.ts';

/** A track as its TrackEntry describes it. Connect names its two; the number is only valid within one fragment. */
export interface Track {
  readonly number: number;
  readonly name: string;
}

const text = new TextDecoder();

/** The track that a TrackEntry's bytes describe; undefined when they are broken or have no number. */
export function readTrackEntry(bytes: Uint8Array): Track | undefined {
  let number = 0;
  let name = '';
  const whole = forEachChild(bytes, (id, payload) => {
    if (id === ID.trackNumber) number = readUint(payload, 0, payload.length);
    else if (id === ID.trackName) name = readText(payload);
  });
  return whole && number > 0 ? { number, name } : undefined;
}

/** Name and value of a SimpleTag's bytes, in whichever order they stand; undefined when they are broken. */
export function readSimpleTag(bytes: Uint8Array): { name: string; value: string } | undefined {
  let name = '';
  let value = '';
  const whole = forEachChild(bytes, (id, payload) => {
    if (id === ID.tagName) name = readText(payload);
    else if (id === ID.tagString) value = readText(payload);
  });
  return whole ? { name, value } : undefined;
}

/** Matroska pads strings with NULs, and real producers with blanks too (captures/test_mixed_tags.mkv). */
function readText(payload: Uint8Array): string {
  return text.decode(payload).replace(/[\0 ]+$/, '');
}

/** Calls back for each child of a small master; false when the children do not fill it exactly. */
function forEachChild(bytes: Uint8Array, onChild: (id: number, payload: Uint8Array) => void): boolean {
  let at = 0;
  while (at < bytes.length) {
    const idLength = vintLength(bytes[at] as number);
    if (idLength > 4 || at + idLength >= bytes.length) return false;
    const sizeLength = vintLength(bytes[at + idLength] as number);
    const start = at + idLength + sizeLength;
    if (sizeLength > 8 || start > bytes.length) return false;
    const size = readSize(bytes, at + idLength, sizeLength);
    if (size < 0 || size > bytes.length - start) return false;
    onChild(readId(bytes, at, idLength), bytes.subarray(start, start + size));
    at = start + size;
  }
  return true;
}
