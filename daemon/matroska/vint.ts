/** The size of an element that lasts until another one ends it (EBML: all value bits set). */
export const UNKNOWN_SIZE = -1;

/** Length of the variable-length integer that starts with `first`: 1 to 8, or 9 if invalid (RFC 8794, 4.1). */
export function vintLength(first: number): number {
  return Math.clz32(first) - 23;
}

/** An element size of `length` bytes without its marker; UNKNOWN_SIZE for the reserved value. Inexact above 2^53. */
export function readSize(bytes: Uint8Array, at: number, length: number): number {
  const mask = 0xff >> length;
  let value = (bytes[at] as number) & mask;
  let allSet = value === mask;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] as number;
    allSet &&= byte === 0xff;
    value = value * 256 + byte;
  }
  return allSet ? UNKNOWN_SIZE : value;
}

/** An unsigned big-endian integer of `length` bytes, or an element id with its length marker. */
export function readUint(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at + i] as number);
  return value;
}
