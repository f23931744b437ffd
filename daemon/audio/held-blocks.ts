import { BYTES_PER_SAMPLE, SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import type { AudioBlock } from './pcm.ts';
import { EXACT_MS } from './track-clock.ts';

/** Consecutive blocks of a track that wait until it is certain where the first one belongs. */
export class HeldBlocks {
  /** True when they follow a gap for certain; only their place is open. */
  isArriving = false;
  #blocks: AudioBlock[] = [];
  /** When the first sample was said, by the time of each block. */
  #startsMs: Millis[] = [];
  #frames = 0;
  #areLent = false;

  get length(): number {
    return this.#blocks.length;
  }

  get audioMs(): Millis {
    return this.#frames / SAMPLES_PER_MS;
  }

  /** When the first of them arrived; Infinity when there are none. */
  get sinceMs(): Millis {
    return this.#blocks[0]?.arrivedAtMs ?? Infinity;
  }

  /** When the first sample was spoken: by the first block's time, and by the times of all blocks. */
  get firstMs(): Millis {
    return this.#startsMs[0] ?? 0;
  }

  get meanMs(): Millis {
    return this.#startsMs.reduce((sum, ms) => sum + ms, 0) / this.#startsMs.length;
  }

  /** True if all times agree. */
  get agree(): boolean {
    return this.#startsMs.every((ms) => Math.abs(ms - this.firstMs) <= EXACT_MS);
  }

  /** When the first sample was said, by the time of a block that follows. */
  startMs(timeMs: Millis): Millis {
    return timeMs - this.#frames / SAMPLES_PER_MS;
  }

  /** How far each time is off. */
  deviationsMs(startMs: Millis): Millis[] {
    return this.#startsMs.map((ms) => ms - startMs);
  }

  add(block: AudioBlock, timeMs: Millis): void {
    this.#startsMs.push(this.startMs(timeMs));
    this.#blocks.push(block);
    this.#frames += block.pcm.length / BYTES_PER_SAMPLE;
    this.#areLent = true;
  }

  /** Copies audio whose buffer will be reused. */
  keep(): void {
    if (!this.#areLent) return;
    this.#blocks = this.#blocks.map((block) => ({ ...block, pcm: Buffer.from(block.pcm) }));
    this.#areLent = false;
  }

  /** Returns them, and holds none anymore. */
  release(): readonly AudioBlock[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#startsMs = [];
    this.#frames = 0;
    this.#areLent = false;
    this.isArriving = false;
    return blocks;
  }
}
