import type { AudioBlock } from '../../audio/pcm.ts';
import { BYTES_PER_MS, CHANNELS } from '../../contract/audio-format.ts';
import type { Millis } from '../../runtime/clock.ts';

const BYTES_PER_MS_OF_CHANNEL = BYTES_PER_MS / CHANNELS;

/** The time that blocks cover, from the first one's beginning to the last one's end. */
export class Span {
  #fromMs = Infinity;
  #toMs = -Infinity;

  get ms(): Millis {
    return Math.max(0, this.#toMs - this.#fromMs);
  }

  add({ timeMs, pcm }: Pick<AudioBlock, 'timeMs' | 'pcm'>): void {
    this.#fromMs = Math.min(this.#fromMs, timeMs);
    this.#toMs = Math.max(this.#toMs, timeMs + pcm.length / BYTES_PER_MS_OF_CHANNEL);
  }

  addAll(other: Span): void {
    this.#fromMs = Math.min(this.#fromMs, other.#fromMs);
    this.#toMs = Math.max(this.#toMs, other.#toMs);
  }

  clear(): void {
    this.#fromMs = Infinity;
    this.#toMs = -Infinity;
  }
}
