/** Room for what one read of a call gives, or for what is written of it in one go; larger ones are not kept. */
export const USUAL_BYTES = 16 * 1024;
/** Kept for later use, up to 4 MiB: as many as a thread of a thousand calls has in its hands when it was held up. */
const MOST_KEPT = 256;

/**
 * Buffers for what is on its way through this thread and stays nowhere: the one that was given back last is handed out
 * next, so that a thread works in a few that its caches hold, and not in one per call that they do not.
 */
const kept: Buffer[] = [];

/** A buffer with room for that many bytes, with whatever is in it. It is the caller's alone until given back. */
export function borrowBuffer(leastBytes: number): Buffer {
  if (leastBytes > USUAL_BYTES) return Buffer.allocUnsafeSlow(leastBytes);
  return kept.pop() ?? Buffer.allocUnsafeSlow(USUAL_BYTES);
}

/** The buffer if it has room for that many bytes; else a larger one that begins with its first `usedBytes`, in its place. */
export function withRoom(buffer: Buffer | undefined, usedBytes: number, leastBytes: number): Buffer {
  if (buffer && leastBytes <= buffer.length) return buffer;
  const larger = borrowBuffer(leastBytes);
  if (buffer) {
    buffer.copy(larger, 0, 0, usedBytes);
    returnBuffer(buffer);
  }
  return larger;
}

/** Gives it back: nobody may look at it any more. One that is dropped instead is collected, and nothing is wrong. */
export function returnBuffer(buffer: Buffer): void {
  if (buffer.length === USUAL_BYTES && kept.length < MOST_KEPT) kept.push(buffer);
}
