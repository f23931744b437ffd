import type { Millis } from '../runtime/clock.ts';

/** 61 s of Connect's 64 ms blocks: a producer that reconnects sends up to 20 s again by default. */
const BLOCKS = 960;
/** A producer that cuts fragments otherwise may round a block's time otherwise. */
const SAME_TIME_MS: Millis = 1;
/** By inexact times these cannot be told from the next block of their track. */
const LATEST_BLOCKS = 3;

const BYTES_PER_STRIPE = 16;
const PRIME = 0x9e3779b1;

/**
 * Times and fingerprints of a track's last minute of blocks, by which audio that the producer sends again is recognized:
 * the old times and the same content, in the same order. Audio that merely sounds the same has a new time.
 */
export class RecentBlocks {
  readonly #times = new Int32Array(BLOCKS);
  readonly #fingerprints = new Int32Array(BLOCKS);
  /** Blocks noted so far. */
  #noted = 0;
  /** The block that a repetition continues with; -1 while there is none. */
  #expected = -1;

  /** True while the last block was a repetition. */
  hasJustRepeated = false;

  note(timeMs: Millis, fingerprint: number): void {
    this.hasJustRepeated = false;
    const at = this.#noted++ % BLOCKS;
    this.#times[at] = timeMs;
    this.#fingerprints[at] = fingerprint;
  }

  /** True if the block continues a repetition. */
  continuesRepetition(timeMs: Millis, fingerprint: number): boolean {
    if (this.#expected < 0) return false;
    const isSame = this.#isAt(this.#expected, timeMs, fingerprint);
    this.hasJustRepeated ||= isSame;
    this.#expected = isSame && this.#expected + 1 < this.#noted ? this.#expected + 1 : -1;
    return isSame;
  }

  /** True if there was the same block before. For a block whose time is old: the search takes a microsecond. */
  beginsRepetition(timeMs: Millis, fingerprint: number): boolean {
    const oldest = Math.max(0, this.#noted - BLOCKS);
    for (let nth = this.#noted - 1; nth >= oldest; nth--) {
      if (!this.#isAt(nth, timeMs, fingerprint)) continue;
      this.hasJustRepeated = true;
      this.#expected = nth + 1 < this.#noted ? nth + 1 : -1;
      return true;
    }
    return false;
  }

  /** True if the block is one of the last few. Content that repeats itself, such as digital silence, does not tell. */
  isOneOfLatest(timeMs: Millis, fingerprint: number): boolean {
    const oldest = Math.max(1, this.#noted - LATEST_BLOCKS);
    for (let nth = this.#noted - 1; nth >= oldest; nth--) {
      if (!this.#isAt(nth, timeMs, fingerprint)) continue;
      return this.#fingerprints[(nth - 1) % BLOCKS] !== fingerprint;
    }
    return false;
  }

  /** Times and fingerprints of the last `count` blocks, the oldest first. */
  last(count: number): [timeMs: Millis, fingerprint: number][] {
    const from = Math.max(0, this.#noted - count);
    return Array.from({ length: this.#noted - from }, (_, i) => {
      const at = (from + i) % BLOCKS;
      return [this.#times[at] as number, this.#fingerprints[at] as number];
    });
  }

  #isAt(nth: number, timeMs: Millis, fingerprint: number): boolean {
    const at = nth % BLOCKS;
    if (this.#fingerprints[at] !== fingerprint) return false;
    return Math.abs((this.#times[at] as number) - (timeMs | 0)) <= SAME_TIME_MS;
  }
}

/** A view of the buffer looked at last: most blocks lie in the same one as the block before. */
let view: DataView = new DataView(new ArrayBuffer(0));

/** 32 bits that tell apart whatever a call says: a polynomial over words, in four lanes, well mixed. */
export function fingerprintOf({ buffer, byteOffset, length }: Uint8Array): number {
  if (view.buffer !== buffer) view = new DataView(buffer);
  const words = view;
  const end = byteOffset + length;
  const stripesEnd = end - (length % BYTES_PER_STRIPE);
  let [a, b, c, d] = [length, 1, 2, 3];
  let at = byteOffset;
  for (; at < stripesEnd; at += BYTES_PER_STRIPE) {
    a = (Math.imul(a, PRIME) + words.getInt32(at, true)) | 0;
    b = (Math.imul(b, PRIME) + words.getInt32(at + 4, true)) | 0;
    c = (Math.imul(c, PRIME) + words.getInt32(at + 8, true)) | 0;
    d = (Math.imul(d, PRIME) + words.getInt32(at + 12, true)) | 0;
  }
  for (; at < end; at++) a = (Math.imul(a, PRIME) + words.getUint8(at)) | 0;
  return mixed(mixed(mixed(mixed(a) ^ b) ^ c) ^ d);
}

/** MurmurHash3's finalizer. */
function mixed(word: number): number {
  const half = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const whole = Math.imul(half ^ (half >>> 13), 0xc2b2ae35);
  return whole ^ (whole >>> 16);
}
