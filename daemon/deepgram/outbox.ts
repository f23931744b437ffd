import { BYTES_PER_MS } from '../audio/pcm.ts';
import type { Millis } from '../clock.ts';

/** A run of the call on its way to Deepgram. */
export interface Parcel {
  readonly pcm: Uint8Array;
  /** Where in the call it begins, in bytes of 2-channel PCM. */
  readonly at: number;
  /** When the oldest audio in it arrived here; undefined when it is all silence. */
  readonly arrivedAtMs: Millis | undefined;
}

/**
 * The part of the call that is still to be sent, and what was sent but may have to be sent again. Positions are bytes
 * of 2-channel PCM from the call's beginning.
 */
export class Outbox {
  readonly #parcels: Parcel[] = [];
  /** Index of the first parcel that is still to be sent. */
  #next = 0;
  #end: number;
  #heldBytes = 0;

  /** @param start where in the call the audio begins that will be added */
  constructor(start: number) {
    this.#end = start;
  }

  /** Where the call's audio that came so far ends. */
  get end(): number {
    return this.#end;
  }

  /** Up to where it has been sent, on whichever connection. */
  get sent(): number {
    return this.#parcels[this.#next]?.at ?? this.#end;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  add(pcm: Uint8Array, arrivedAtMs: Millis | undefined): void {
    this.#parcels.push({ pcm, at: this.#end, arrivedAtMs });
    this.#end += pcm.length;
    this.#heldBytes += pcm.length;
  }

  /** The next parcel to send, which counts as sent from now on. */
  take(): Parcel | undefined {
    const parcel = this.#parcels[this.#next];
    if (parcel) this.#next++;
    return parcel;
  }

  /** Lets go of what was sent and ends at or before `position`. */
  forget(position: number): void {
    let done = 0;
    while (done < this.#next && endOf(this.#parcels[done] as Parcel) <= position) {
      this.#heldBytes -= (this.#parcels[done] as Parcel).pcm.length;
      done++;
    }
    if (done === 0) return;
    this.#parcels.splice(0, done);
    this.#next -= done;
  }

  /** All from `position` on is to be sent again, as far as it is still held. Gives where that begins. */
  rewind(position: number): number {
    const first = this.#parcels.findIndex((parcel) => endOf(parcel) > position);
    if (first >= 0) this.#cutAt(first, position);
    this.#next = first >= 0 ? first : this.#parcels.length;
    return this.sent;
  }

  /** Makes a parcel begin at `position`, so that no more than asked for is sent again. */
  #cutAt(index: number, position: number): void {
    const { pcm, at, arrivedAtMs } = this.#parcels[index] as Parcel;
    if (position <= at) return;
    this.#parcels[index] = { pcm: pcm.subarray(position - at), at: position, arrivedAtMs };
    this.#heldBytes -= position - at;
  }
}

/** The position of a moment of the call, at a whole frame. */
export function positionOf(callMs: Millis): number {
  return Math.floor(callMs) * BYTES_PER_MS;
}

/** The moment of the call at a position. */
export function momentOf(position: number): Millis {
  return position / BYTES_PER_MS;
}

function endOf({ at, pcm }: Parcel): number {
  return at + pcm.length;
}
