import { crc32 } from 'node:zlib';
import { firstFragmentOf, Material, nextContact, ofCall } from './material.ts';

/** What a call is moved as: the bytes as they came, or the audio in them. */
export type Form = 'mkv' | 'pcm';

const materials = new Map<number, Material>();

/** How many bytes a call of so many fragments is moved as. */
export function bytesOf(call: number, fragments: number, form: Form, chunkMs: number): number {
  let bytes = endOf(form).reduce((sum, { length }) => sum + length, 0);
  for (let i = 0; i < fragments; i++) {
    for (const part of partsOf(call, i, form, chunkMs)) bytes += part.length;
  }
  return bytes;
}

/**
 * The CRC-32 of a call's first bytes.
 * @param fragments after so many the call is over; only of interest where the end itself is moved
 */
export function expectedChecksum(
  call: number,
  bytes: number,
  form: Form,
  chunkMs: number,
  fragments = Infinity,
): number {
  let crc = 0;
  let left = bytes;
  for (let i = 0; left > 0; i++) {
    for (const part of i < fragments ? partsOf(call, i, form, chunkMs) : endOf(form)) {
      crc = crc32(part.subarray(0, left), crc);
      left -= Math.min(left, part.length);
    }
    if (i >= fragments && left > 0) throw new Error(`call ${call}: ${left} bytes arrived after its end`);
  }
  return crc;
}

/** What the end of a call is moved as. */
function endOf(form: Form): readonly Buffer[] {
  return form === 'mkv' ? [nextContact()] : [];
}

/** What one fragment of a call is moved as. */
function partsOf(call: number, fragment: number, form: Form, chunkMs: number): readonly Buffer[] {
  const material = materials.get(chunkMs) ?? new Material(chunkMs);
  materials.set(chunkMs, material);
  const { chunks, pcm } = material.fragment(firstFragmentOf(call) + fragment);
  return form === 'pcm' ? [pcm] : chunks.map((chunk) => ofCall(chunk, call));
}
