import type { Millis } from '../runtime/clock.ts';
import type { BlockMark } from './call-clock.ts';

/** 61 s of Connect's 64 ms blocks: a producer that reconnects sends up to 20 s again by default. */
const BLOCKS = 960;
/** Shorter blocks need more of them for as long a time; of blocks below 8 ms it is less. */
const MOST_BLOCKS = 8 * BLOCKS;
const REMEMBERED_MS: Millis = 60_000;
/** A producer that cuts fragments otherwise may round a block's time otherwise. */
const SAME_TIME_MS: Millis = 1;
/** At inexact times, these cannot be distinguished from the next block of their track. */
const LATEST_BLOCKS = 3;

/** Marks a difference that is not kept: the clock was set, or there is no block before. */
const FAR = -0x8000;
const BYTES_PER_WORD = 4;
const BYTES_PER_STRIPE = 4 * BYTES_PER_WORD;
const PRIME = 0x9e3779b1;

/**
 * Times and fingerprints of a track's last minute of blocks, by which audio that the producer sends again is recognized:
 * the old times and the same content, in the same order. Audio that merely sounds the same has a new time.
 */
export class RecentBlocks {
  /** A ring of 4 bytes a block: with thousands of calls this is most of a track's memory. */
  #fingerprints = new Int32Array(BLOCKS);
  /** How much later each block is than the one before; undefined while all are `#everyMs` later, as exact times are. */
  #afterMs: Int16Array | undefined;
  #everyMs: Millis = FAR;
  /** The time of the oldest block when the ring was last full. */
  #fullSinceMs: Millis = 0;
  /** Blocks noted so far, and the time of the last one. */
  noted = 0;
  #lastMs = 0;
  /** The block that a repetition continues with, and its time; -1 while there is none. */
  #expected = -1;
  #expectedMs = 0;

  /** True while the last block was a repetition. */
  hasJustRepeated = false;

  note(timeMs: Millis, fingerprint: number): void {
    this.hasJustRepeated = false;
    const afterMs = (timeMs | 0) - this.#lastMs;
    if (this.noted % this.#size === 0) this.#growIfShort(timeMs | 0);
    this.#noteTime(Math.abs(afterMs) < -FAR ? afterMs : FAR);
    this.#fingerprints[this.noted++ % this.#size] = fingerprint;
    this.#lastMs = timeMs | 0;
  }

  /** True if the block continues a repetition. */
  continuesRepetition(timeMs: Millis, fingerprint: number): boolean {
    if (this.#expected < 0) return false;
    const isSame = isSameTime(this.#expectedMs, timeMs) && this.#fingerprint(this.#expected) === fingerprint;
    this.hasJustRepeated ||= isSame;
    if (isSame) this.#expect(this.#expected + 1, this.#expectedMs);
    else this.#expected = -1;
    return isSame;
  }

  /** True if there was the same block before. For a block whose time is old: the search takes microseconds. */
  beginsRepetition(timeMs: Millis, fingerprint: number): boolean {
    const oldest = Math.max(0, this.noted - this.#size);
    let ms = this.#lastMs;
    for (let nth = this.noted - 1; nth >= oldest; nth--) {
      if (isSameTime(ms, timeMs) && this.#fingerprint(nth) === fingerprint) {
        this.hasJustRepeated = true;
        this.#expect(nth + 1, ms);
        return true;
      }
      const afterMs = this.#after(nth);
      if (afterMs === FAR) return false;
      ms -= afterMs;
    }
    return false;
  }

  /** True if the last two blocks have the same content: a single one may be repeated. */
  isLikeLastTwo(fingerprint: number): boolean {
    const [last, before] = [this.noted - 1, this.noted - 2];
    return before >= 0 && this.#fingerprint(last) === fingerprint && this.#fingerprint(before) === fingerprint;
  }

  /** True if the block is one of the last few. Repetitive content, such as digital silence, proves nothing. */
  isOneOfLatest(timeMs: Millis, fingerprint: number): boolean {
    const oldest = Math.max(1, this.noted - LATEST_BLOCKS);
    let ms = this.#lastMs;
    for (let nth = this.noted - 1; nth >= oldest; nth--) {
      if (isSameTime(ms, timeMs) && this.#fingerprint(nth) === fingerprint)
        return this.#fingerprint(nth - 1) !== fingerprint;
      ms -= this.#after(nth);
    }
    return false;
  }

  /**
   * Times and fingerprints of the last `count` of the first `end` blocks, the oldest first; of fewer when the clock was
   * set there.
   */
  last(count: number, end = this.noted): BlockMark[] {
    const blocks: BlockMark[] = [];
    let ms = this.#lastMs;
    for (let nth = this.noted - 1; nth >= Math.max(0, end - count); nth--) {
      if (nth < end) blocks.unshift([ms, this.#fingerprint(nth)]);
      if (this.#after(nth) === FAR) break;
      ms -= this.#after(nth);
    }
    return blocks;
  }

  /** Doubles a ring that is full before it reaches back far enough. */
  #growIfShort(timeMs: Millis): void {
    const spanMs = timeMs - this.#fullSinceMs;
    this.#fullSinceMs = timeMs;
    const isFull = this.noted >= this.#size;
    if (!isFull || spanMs < 0 || spanMs >= REMEMBERED_MS || this.#size >= MOST_BLOCKS) return;
    const grown = 2 * this.#size;
    const [fingerprints, afterMs] = [new Int32Array(grown), this.#afterMs && new Int16Array(grown)];
    for (let nth = this.noted - this.#size; nth < this.noted; nth++) {
      fingerprints[nth % grown] = this.#fingerprint(nth);
      if (afterMs) afterMs[nth % grown] = this.#after(nth);
    }
    this.#fingerprints = fingerprints;
    this.#afterMs = afterMs;
    this.#fullSinceMs = timeMs - spanMs;
  }

  get #size(): number {
    return this.#fingerprints.length;
  }

  /** Expects block `nth`, after one that was at `beforeMs`. */
  #expect(nth: number, beforeMs: Millis): void {
    const isThere = nth < this.noted && this.#after(nth) !== FAR;
    this.#expected = isThere ? nth : -1;
    this.#expectedMs = isThere ? beforeMs + this.#after(nth) : 0;
  }

  /** Notes how much later the next block is than the one before. */
  #noteTime(afterMs: Millis): void {
    // Nothing comes before the first one.
    if (this.noted === 0) return;
    if (this.noted === 1) this.#everyMs = afterMs;
    if (afterMs !== this.#everyMs) this.#afterMs ??= new Int16Array(this.#size).fill(this.#everyMs);
    if (this.#afterMs) this.#afterMs[this.noted % this.#size] = afterMs;
  }

  #after(nth: number): Millis {
    if (nth === 0) return FAR;
    return this.#afterMs ? (this.#afterMs[nth % this.#size] as number) : this.#everyMs;
  }

  #fingerprint(nth: number): number {
    return this.#fingerprints[nth % this.#size] as number;
  }
}

function isSameTime(one: Millis, other: Millis): boolean {
  return Math.abs(one - (other | 0)) <= SAME_TIME_MS;
}

/** Words of a typed array are read three times as fast as those of a DataView, the copy included. */
const CHUNK_BYTES = 4096;
const bytes = new Uint8Array(CHUNK_BYTES);
const words = new Int32Array(bytes.buffer);

/** A 32-bit fingerprint of a block's audio: a polynomial over words, in four lanes, well mixed. */
export function fingerprintOf(pcm: Uint8Array): number {
  let a = pcm.length;
  let b = 1;
  let c = 2;
  let d = 3;
  for (let from = 0; from < pcm.length; from += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, pcm.length - from);
    bytes.set(length === pcm.length ? pcm : pcm.subarray(from, from + length));
    const stripesEnd = length - (length % BYTES_PER_STRIPE);
    for (let at = 0; at < stripesEnd / BYTES_PER_WORD; at += 4) {
      a = (Math.imul(a, PRIME) + (words[at] as number)) | 0;
      b = (Math.imul(b, PRIME) + (words[at + 1] as number)) | 0;
      c = (Math.imul(c, PRIME) + (words[at + 2] as number)) | 0;
      d = (Math.imul(d, PRIME) + (words[at + 3] as number)) | 0;
    }
    for (let at = stripesEnd; at < length; at++) a = (Math.imul(a, PRIME) + (bytes[at] as number)) | 0;
  }
  return mixed(mixed(mixed(mixed(a) ^ b) ^ c) ^ d);
}

/** MurmurHash3's finalizer. */
function mixed(word: number): number {
  const half = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const whole = Math.imul(half ^ (half >>> 13), 0xc2b2ae35);
  return whole ^ (whole >>> 16);
}
