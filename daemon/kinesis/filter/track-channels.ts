import type { Channel } from '../../contract/audio-format.ts';

/** Connect has two tracks; a fragment with more than this is not Connect's. */
const MAX_TRACKS = 16;

/** Maps a fragment's track numbers to channels: two of them, looked up for each block, replaced by each fragment. */
export class TrackChannels {
  readonly #numbers: number[] = [];
  readonly #channels: Channel[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Keeps the arrays for the next fragment. */
  clear(): void {
    this.#count = 0;
  }

  /** Ignores tracks beyond the limit. */
  add(trackNumber: number, channel: Channel): void {
    if (this.#count >= MAX_TRACKS) return;
    this.#numbers[this.#count] = trackNumber;
    this.#channels[this.#count] = channel;
    this.#count++;
  }

  /** The channel last assigned to the track. */
  of(trackNumber: number): Channel | undefined {
    for (let i = this.#count - 1; i >= 0; i--) if (this.#numbers[i] === trackNumber) return this.#channels[i];
    return undefined;
  }
}
