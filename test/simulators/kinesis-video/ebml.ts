import { schema } from 'ebml';

/** Bytes that encode an element's size: Kinesis Video uses all three (captures). */
export type SizeBytes = 1 | 4 | 8;

/** An unknown size ("until the next element of this or a higher level"), in the long and the short encoding. */
export const UNKNOWN_SIZE = Buffer.from('01ffffffffffffff', 'hex');
export const UNKNOWN_SIZE_SHORT = Buffer.from('ff', 'hex');

const IDS = new Map([...schema].map(([id, { name }]) => [name, Buffer.from(id.toString(16), 'hex')]));

/** An EBML element, by its name in ebml's schema. */
export function element(name: string, sizeBytes: SizeBytes, ...content: readonly Buffer[]): Buffer {
  const size = content.reduce((total, { length }) => total + length, 0);
  return Buffer.concat([idOf(name), sizeField(size, sizeBytes), ...content]);
}

/** The start of a master element with an encoded size, for content that follows separately. */
export function elementStart(name: string, size: Buffer): Buffer {
  return Buffer.concat([idOf(name), size]);
}

/** Encodes a size in that many bytes. Throws if it does not fit. */
export function sizeField(size: number, sizeBytes: SizeBytes): Buffer {
  const field = Buffer.alloc(sizeBytes);
  // All ones mean "unknown", so the largest value of a width is reserved.
  if (size >= 2 ** (7 * sizeBytes) - 1) throw new RangeError(`a size of ${size} does not fit in ${sizeBytes} bytes`);
  field.writeUIntBE(size, Math.max(0, sizeBytes - 6), Math.min(sizeBytes, 6));
  field[0] = (field[0] as number) | (1 << (8 - sizeBytes));
  return field;
}

/** Encodes an unsigned integer as content, big-endian. */
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
