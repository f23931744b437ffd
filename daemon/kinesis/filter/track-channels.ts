import type { Channel } from '../../contract/audio-format.ts';

/** Connect has two tracks; a fragment with more of them than this is none of its. */
const MAX_TRACKS = 16;

/** Which of a fragment's tracks are which channel: two, looked at for each block, and told anew by each fragment. */
export class TrackChannels {
  readonly #numbers: number[] = [];
  readonly #channels: Channel[] = [];
  #count = 0;

  /** Forgets all, and keeps the room for the next ones. */
  clear(): void {
    this.#count = 0;
  }

  /** Takes note of a track; what is beyond the most that there may be is passed over. */
  add(trackNumber: number, channel: Channel): void {
    if (this.#count >= MAX_TRACKS) return;
    this.#numbers[this.#count] = trackNumber;
    this.#channels[this.#count] = channel;
    this.#count++;
  }

  /** The channel that a track was last said to be. */
  of(trackNumber: number): Channel | undefined {
    for (let i = this.#count - 1; i >= 0; i--) if (this.#numbers[i] === trackNumber) return this.#channels[i];
    return undefined;
  }
}
