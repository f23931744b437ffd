import type { AudioRun } from '../audio/audio-run.ts';
import type { CallBuffer } from '../audio/call-buffer.ts';
import { sampleAt } from '../audio/pcm.ts';
import { BYTES_PER_FRAME, BYTES_PER_MS, BYTES_PER_SAMPLE, type Channel } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';

/** Up to where in the call something arrived at that time. */
interface Arrival {
  readonly end: number;
  readonly atMs: Millis | undefined;
}

/** A ring that has grown shrinks again when so much of the least would do: not to and fro. */
const SHRINKS_AT = 0.9;

/**
 * The part of the call that is still to be sent, and what was sent but may have to be sent again, in one ring of bytes:
 * audio is written to where it stays until it is forgotten, and can be looked at until it is written over. Positions are
 * bytes of 2-channel PCM from the call's beginning.
 */
export class ReplayBuffer implements CallBuffer {
  readonly #leastBytes: number;
  #ring: Buffer;
  /** From where on it is held, up to where it has been sent, on whichever connection, and where it ends. */
  #from: number;
  /** From where on it has not been written over. */
  #intactFrom: number;
  #sent: number;
  #end: number;
  /** Of what is still to be sent, in order. */
  readonly #arrivals: Arrival[] = [];

  /**
   * @param start where in the call the audio begins that will be added
   * @param leastBytes room for what is usually held; more is taken when it is needed, and given back after that
   */
  constructor(start: number, leastBytes: number) {
    this.#leastBytes = leastBytes - (leastBytes % BYTES_PER_FRAME);
    this.#ring = Buffer.alloc(this.#leastBytes);
    this.#from = start;
    this.#intactFrom = start;
    this.#sent = start;
    this.#end = start;
  }

  /** Where the call's audio that came so far ends. */
  get end(): number {
    return this.#end;
  }

  /** Up to where it has been sent, on whichever connection. */
  get sent(): number {
    return this.#sent;
  }

  /** From where on it is held: what comes before need not be sent again. */
  get heldFrom(): number {
    return this.#from;
  }

  get heldBytes(): number {
    return this.#end - this.#from;
  }

  reserve(frames: number): Int32Array {
    const wanted = frames * BYTES_PER_FRAME;
    this.#fit(wanted);
    const at = this.#end % this.#ring.length;
    const bytes = Math.min(wanted, this.#ring.length - at);
    this.#intactFrom = Math.max(this.#intactFrom, this.#end + bytes - this.#ring.length);
    return new Int32Array(this.#ring.buffer, this.#ring.byteOffset + at, bytes / BYTES_PER_FRAME);
  }

  sampleAt(frame: number, channel: Channel): number | undefined {
    const position = frame * BYTES_PER_FRAME;
    if (position < this.#intactFrom || position >= this.#end) return undefined;
    return sampleAt(this.#ring, (position % this.#ring.length) + channel * BYTES_PER_SAMPLE);
  }

  /** Adds what was written to the room reserved last: as much of it as the run says. */
  commit({ pcm, arrivedAtMs }: AudioRun): void {
    if (!this.#isInPlace(pcm)) throw new RangeError('the audio is not where room was reserved for it');
    this.#end += pcm.length;
    this.#arrivals.push({ end: this.#end, atMs: arrivedAtMs });
  }

  /** The next audio to send, at most `longestBytes` of it, which counts as sent from now on; undefined: there is none. */
  take(longestBytes: number): AudioRun | undefined {
    const at = this.#sent % this.#ring.length;
    const bytes = Math.min(longestBytes, this.#end - this.#sent, this.#ring.length - at);
    if (bytes === 0) return undefined;
    this.#sent += bytes;
    return { pcm: this.#ring.subarray(at, at + bytes), arrivedAtMs: this.#arrivedAtMs() };
  }

  /** Lets go of what was sent and ends at or before `position`. */
  forget(position: number): void {
    this.#from = Math.max(this.#from, Math.min(position, this.#sent));
  }

  /** All from `position` on is to be sent again, as far as it is still held. Gives where that begins. */
  rewind(position: number): number {
    this.#sent = Math.max(this.#from, Math.min(position, this.#sent));
    return this.#sent;
  }

  /** When the oldest of what has just been sent for the first time arrived. */
  #arrivedAtMs(): Millis | undefined {
    let oldestMs = Infinity;
    for (let first = this.#arrivals[0]; first; first = this.#arrivals[0]) {
      oldestMs = Math.min(oldestMs, first.atMs ?? Infinity);
      if (first.end > this.#sent) break;
      this.#arrivals.shift();
      if (first.end === this.#sent) break;
    }
    return oldestMs === Infinity ? undefined : oldestMs;
  }

  #isInPlace({ buffer, byteOffset }: Uint8Array): boolean {
    return buffer === this.#ring.buffer && byteOffset === this.#ring.byteOffset + (this.#end % this.#ring.length);
  }

  /** Makes the ring large enough for so many more bytes, and small again when little of it is used. */
  #fit(more: number): void {
    const needed = this.heldBytes + more;
    const isTooLarge = this.#ring.length > this.#leastBytes && needed <= this.#leastBytes * SHRINKS_AT;
    if (needed <= this.#ring.length && !isTooLarge) return;
    const ring = Buffer.alloc(Math.max(this.#leastBytes, needed * 2));
    this.#intactFrom = Math.max(this.#intactFrom, Math.min(this.#from, this.#end + more - ring.length));
    for (let at = this.#intactFrom; at < this.#end; ) {
      const source = this.#ring.subarray(at % this.#ring.length).subarray(0, this.#end - at);
      // What is still on its way to a socket keeps the old ring until it is there.
      const copied = source.copy(ring, at % ring.length);
      at += copied;
    }
    this.#ring = ring;
  }
}

/** The position of a moment of the call, at a whole ms: what is told of where a connection begins has no fractions. */
export function positionOf(callMs: Millis): number {
  return Math.floor(callMs) * BYTES_PER_MS;
}

/** The moment of the call at a position. */
export function momentOf(position: number): Millis {
  return position / BYTES_PER_MS;
}
