import { schema } from 'ebml';

/** In how many bytes an element's size is coded: Kinesis Video writes all three widths (captures). */
export type SizeBytes = 1 | 4 | 8;

/** A size that says "until the next element of this level or a higher one", in the long and the short coding. */
export const UNKNOWN_SIZE = Buffer.from('01ffffffffffffff', 'hex');
export const UNKNOWN_SIZE_SHORT = Buffer.from('ff', 'hex');

const IDS = new Map([...schema].map(([id, { name }]) => [name, Buffer.from(id.toString(16), 'hex')]));

/** One EBML element: the id of that name in ebml's schema, the size of the content, the content. */
export function element(name: string, sizeBytes: SizeBytes, ...content: readonly Buffer[]): Buffer {
  const size = content.reduce((total, { length }) => total + length, 0);
  return Buffer.concat([idOf(name), sizeField(size, sizeBytes), ...content]);
}

/** The beginning of a master element whose size is given as it stands, for content that follows piece by piece. */
export function elementStart(name: string, size: Buffer): Buffer {
  return Buffer.concat([idOf(name), size]);
}

/** A size coded in that many bytes; throws when it does not fit, since a wrong size would pass for a demuxer's fault. */
export function sizeField(size: number, sizeBytes: SizeBytes): Buffer {
  const field = Buffer.alloc(sizeBytes);
  // All ones mean "unknown", so the largest value of a width is not to be had.
  if (size >= 2 ** (7 * sizeBytes) - 1) throw new RangeError(`a size of ${size} does not fit in ${sizeBytes} bytes`);
  field.writeUIntBE(size, Math.max(0, sizeBytes - 6), Math.min(sizeBytes, 6));
  field[0] = (field[0] as number) | (1 << (8 - sizeBytes));
  return field;
}

/** An unsigned integer as content, big-endian. */
export function unsigned(value: number, bytes: 1 | 8): Buffer {
  const content = Buffer.alloc(bytes);
  if (bytes === 1) content.writeUInt8(value);
  else content.writeBigUInt64BE(BigInt(value));
  return content;
}

function idOf(name: string): Buffer {
  const id = IDS.get(name);
  if (!id) throw new Error(`ebml's schema has no element named ${name}`);
  return id;
}
