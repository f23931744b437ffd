import type { AudioBlock } from '../../audio/pcm.ts';
import { Span } from './span.ts';

/** 32 s of both tracks, many times a Connect fragment. */
export const MAX_WAITING_BYTES = 1024 * 1024;
/** Counted per block in addition to its audio, so that even empty blocks reach the limit. */
const BLOCK_OVERHEAD_BYTES = 128;

/** Blocks of a fragment that wait for its ContactId. */
export class WaitingBlocks {
  readonly span = new Span();
  #blocks: AudioBlock[] = [];
  #bytes = 0;

  get length(): number {
    return this.#blocks.length;
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  get isOverLimit(): boolean {
    return this.#bytes > MAX_WAITING_BYTES;
  }

  add(block: AudioBlock): void {
    // The buffer of the network's bytes is reused (media-body.ts): waiting blocks need a copy.
    this.#blocks.push({ ...block, pcm: Buffer.from(block.pcm) });
    this.#bytes += BLOCK_OVERHEAD_BYTES + block.pcm.length;
    this.span.add(block);
  }

  moveTo(released: AudioBlock[]): void {
    for (const block of this.#blocks) released.push(block);
    this.clear();
  }

  clear(): void {
    if (this.#blocks.length > 0) this.#blocks = [];
    this.#bytes = 0;
    this.span.clear();
  }

  /** Forgets the first blocks: an earlier connection has delivered them. */
  dropFirst(count: number): void {
    this.#blocks.splice(0, count);
  }
}
