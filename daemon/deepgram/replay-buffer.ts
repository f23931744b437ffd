import type { AudioRun } from '../audio/audio-run.ts';
import type { CallBuffer } from '../audio/call-buffer.ts';
import { sampleOf } from '../audio/pcm.ts';
import { BYTES_PER_FRAME, BYTES_PER_MS, type Channel } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';

/** A ring grows by more than it must, so that a long outage copies it a dozen times, not hundreds of times. */
const GROWTH = 1.25;
/** Hysteresis: a ring shrinks once it has been larger than needed for this much audio, 2 s. */
const REVIEWED_EVERY_BYTES = 2000 * BYTES_PER_MS;

/**
 * A ring of frames that holds the audio still to be sent and the audio that may have to be sent again. The aligner
 * writes into it in place; forgotten audio can be read back until it is overwritten. Positions are bytes of 2-channel
 * PCM from the start of the call.
 */
export class ReplayBuffer implements CallBuffer {
  #leastBytes: number;
  /** A word for each frame, as in an AudioRun. */
  #ring: Int32Array<ArrayBuffer>;
  /** Where held audio begins, up to where it has been sent, and where it ends. */
  #from: number;
  /** Where audio that is not overwritten begins. */
  #intactFrom: number;
  #sent: number;
  #end: number;
  /** The most bytes needed at once since the ring's size was last reviewed, and where it is reviewed next. */
  #mostNeeded = 0;
  #reviewedAt: number;

  /**
   * @param start where in the call the audio begins
   * @param leastBytes the minimum size; the ring grows when it must and shrinks again
   */
  constructor(start: number, leastBytes: number) {
    this.#leastBytes = wholeFrames(leastBytes);
    this.#ring = ringOf(this.#leastBytes);
    this.#from = start;
    this.#intactFrom = start;
    this.#sent = start;
    this.#end = start;
    this.#reviewedAt = start + REVIEWED_EVERY_BYTES;
  }

  /** Where the audio committed so far ends. */
  get end(): number {
    return this.#end;
  }

  /** Where the audio to send next begins. */
  get sent(): number {
    return this.#sent;
  }

  /** Where held audio begins: what comes before need not be sent again. */
  get heldFrom(): number {
    return this.#from;
  }

  get heldBytes(): number {
    return this.#end - this.#from;
  }

  /** The memory that it takes now. */
  get allocatedBytes(): number {
    return this.#ring.byteLength;
  }

  /** Sets a larger minimum size. Growing step by step would allocate three times as much. */
  expect(leastBytes: number): void {
    this.#leastBytes = Math.max(this.#leastBytes, wholeFrames(leastBytes));
    if (this.#leastBytes > this.#ring.byteLength) this.#resize(this.#leastBytes, 0);
  }

  reserve(frames: number): Int32Array {
    this.#fit(frames * BYTES_PER_FRAME);
    const at = frameAt(this.#end, this.#ring);
    const room = this.#ring.subarray(at, at + frames);
    this.#intactFrom = Math.max(this.#intactFrom, this.#end + room.byteLength - this.#ring.byteLength);
    return room;
  }

  sampleAt(frame: number, channel: Channel): number | undefined {
    const position = frame * BYTES_PER_FRAME;
    if (position < this.#intactFrom || position >= this.#end) return undefined;
    return sampleOf(this.#ring[frameAt(position, this.#ring)] as number, channel);
  }

  /** Adds a run that was written to the room reserved last; it may be shorter than the room. */
  commit({ frames }: AudioRun): void {
    if (!this.#isInPlace(frames)) throw new RangeError('the run was not written to the reserved room');
    this.#end += frames.byteLength;
  }

  /** Takes the next audio to send, at most `longestBytes`, and counts it as sent; undefined if there is none. */
  take(longestBytes: number): Int32Array | undefined {
    const bytes = Math.min(longestBytes, this.#end - this.#sent);
    if (bytes < BYTES_PER_FRAME) return undefined;
    const at = frameAt(this.#sent, this.#ring);
    const frames = this.#ring.subarray(at, at + bytes / BYTES_PER_FRAME);
    this.#sent += frames.byteLength;
    return frames;
  }

  /** Releases audio before `position`, as far as it was sent. */
  forget(position: number): void {
    this.#from = Math.max(this.#from, Math.min(position, this.#sent));
  }

  /** Makes audio from `position` on unsent again, as far as it is still held; returns where that begins. */
  rewind(position: number): number {
    this.#sent = Math.max(this.#from, Math.min(position, this.#sent));
    return this.#sent;
  }

  /** Forgets all audio and continues at `position`, which may be earlier: the call is read again from there. */
  restart(position: number): void {
    this.#from = position;
    this.#intactFrom = position;
    this.#sent = position;
    this.#end = position;
  }

  #isInPlace({ buffer, byteOffset }: Int32Array): boolean {
    return buffer === this.#ring.buffer && byteOffset === frameAt(this.#end, this.#ring) * BYTES_PER_FRAME;
  }

  /** Grows the ring for `more` bytes, or shrinks it when it has been too large for a while. */
  #fit(more: number): void {
    const needed = this.heldBytes + more;
    this.#mostNeeded = Math.max(this.#mostNeeded, needed);
    if (needed > this.#ring.byteLength) this.#resize(this.#sizeFor(needed), more);
    else if (this.#end >= this.#reviewedAt) this.#review(needed, more);
  }

  #review(needed: number, more: number): void {
    const size = this.#sizeFor(this.#mostNeeded);
    this.#mostNeeded = needed;
    this.#reviewedAt = this.#end + REVIEWED_EVERY_BYTES;
    const savesEnough = size === this.#leastBytes || size * GROWTH <= this.#ring.byteLength;
    if (size < this.#ring.byteLength && savesEnough) this.#resize(size, more);
  }

  #sizeFor(bytes: number): number {
    return bytes <= this.#leastBytes ? this.#leastBytes : wholeFrames(bytes * GROWTH);
  }

  /** Moves to a ring of another size, with room for `more` bytes. */
  #resize(bytes: number, more: number): void {
    const ring = ringOf(bytes);
    this.#intactFrom = Math.max(this.#intactFrom, Math.min(this.#from, this.#end + more - ring.byteLength));
    for (let position = this.#intactFrom; position < this.#end; ) {
      const at = frameAt(position, this.#ring);
      const to = frameAt(position, ring);
      const left = (this.#end - position) / BYTES_PER_FRAME;
      const frames = Math.min(left, this.#ring.length - at, ring.length - to);
      // Runs on their way to a socket still point into the old ring.
      ring.set(this.#ring.subarray(at, at + frames), to);
      position += frames * BYTES_PER_FRAME;
    }
    this.#ring = ring;
  }
}

function ringOf(bytes: number): Int32Array<ArrayBuffer> {
  return new Int32Array(bytes / BYTES_PER_FRAME);
}

/** The index in a ring of the frame at a position. */
function frameAt(position: number, ring: Int32Array): number {
  return (position / BYTES_PER_FRAME) % ring.length;
}

/** So many bytes and, in whole frames, as few more as possible. */
export function wholeFrames(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_FRAME) * BYTES_PER_FRAME;
}

/** The position of a moment of the call, at a whole ms: a connection's offset is reported in whole ms. */
export function positionOf(callMs: Millis): number {
  return Math.floor(callMs) * BYTES_PER_MS;
}

/** The moment of the call at a position. */
export function momentOf(position: number): Millis {
  return position / BYTES_PER_MS;
}
