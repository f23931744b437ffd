/** Fits one read or one write of a call; larger buffers are not pooled. */
export const USUAL_BYTES = 16 * 1024;
/** 4 MiB in all: as many as a thread with a thousand calls uses at once after a stall. */
const MAX_KEPT = 256;

/**
 * Buffers for data that passes through this thread. Last in, first out, so that a thread works in a few buffers that
 * stay in the CPU caches, instead of in one per call.
 */
const kept: Buffer[] = [];

/** A buffer of at least that size, uninitialized. The caller owns it until it is returned. */
export function borrowBuffer(leastBytes: number): Buffer {
  if (leastBytes > USUAL_BYTES) return Buffer.allocUnsafeSlow(leastBytes);
  return kept.pop() ?? Buffer.allocUnsafeSlow(USUAL_BYTES);
}

/** The buffer if it has that size; otherwise a larger one with its first `usedBytes`, and the buffer is returned. */
export function withRoom(buffer: Buffer | undefined, usedBytes: number, leastBytes: number): Buffer {
  if (buffer && leastBytes <= buffer.length) return buffer;
  const larger = borrowBuffer(leastBytes);
  if (buffer) {
    buffer.copy(larger, 0, 0, usedBytes);
    returnBuffer(buffer);
  }
  return larger;
}

/** Returns a buffer, which must not be used afterwards. Dropping it instead is harmless: it is garbage-collected. */
export function returnBuffer(buffer: Buffer): void {
  if (buffer.length === USUAL_BYTES && kept.length < MAX_KEPT) kept.push(buffer);
}
