import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { type Channel, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { pcmOf } from '../support/audio-runs.ts';
import { BufferedAligner } from '../support/buffered-aligner.ts';

export const BLOCK_MS = 64;
export const WAIT_MS = 200;

/** Samples without silence and without similar neighbors, so that each can be distinguished from all others. */
export function distinctSamples(count: number, seed = 1): Int16Array {
  const samples = new Int16Array(count);
  for (let i = 0; i < count; i++) samples[i] = ((i * 7919 + seed * 104_729) % 32_000) + 1;
  return samples;
}

export function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** A track cut into blocks of `sizes` samples (the last size over and over), each at the time its samples say. */
export function blocksOf(channel: Channel, samples: Int16Array, sizes = [BLOCK_MS * SAMPLES_PER_MS]): AudioBlock[] {
  const blocks: AudioBlock[] = [];
  let at = 0;
  for (let i = 0; at < samples.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)] as number;
    const timeMs = Math.round(at / SAMPLES_PER_MS);
    blocks.push({ channel, timeMs, pcm: bytesOf(samples.slice(at, at + size)), arrivedAtMs: timeMs });
    at += size;
  }
  return blocks;
}

/** The blocks in the order of their times, as Connect's producer writes them. */
export function inOrder(...tracks: AudioBlock[][]): AudioBlock[] {
  return tracks.flat().sort((a, b) => a.timeMs - b.timeMs);
}

/** Blocks with another time: as if the producer's clock had said `timeMs(time)`. */
export function retimed(blocks: AudioBlock[], timeMs: (time: number) => number): AudioBlock[] {
  return blocks.map((block) => ({ ...block, timeMs: timeMs(block.timeMs) }));
}

/** What an aligner makes of the blocks, and the aligner itself. Blocks of one time arrive together, all others alone. */
export function align(blocks: readonly AudioBlock[], aligner = new BufferedAligner(WAIT_MS), isWhole = true) {
  const pieces: Uint8Array[] = [];
  const take = () => {
    for (let piece = aligner.take(250); piece; piece = aligner.take(250)) {
      pieces.push(Buffer.from(pcmOf(piece.frames)));
    }
  };
  for (const [i, block] of blocks.entries()) {
    aligner.add(block);
    if (block.timeMs !== blocks[i + 1]?.timeMs) take();
  }
  if (isWhole) aligner.finish();
  take();
  const pcm = Buffer.concat(pieces);
  const frames = new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length));
  const channel = (index: Channel) => {
    const samples = new Int16Array(frames.length / 2);
    for (let i = 0; i < samples.length; i++) samples[i] = frames[2 * i + index] as number;
    return samples;
  };
  return { aligner, customer: channel(0), agent: channel(1) };
}

/** The samples that are not silence. */
export function spoken(samples: Int16Array): Int16Array {
  return samples.filter((sample) => sample !== 0);
}

/** Samples with `silentMs` of silence before them. */
export function after(silentMs: number, samples: Int16Array): Int16Array {
  const all = new Int16Array(silentMs * SAMPLES_PER_MS + samples.length);
  all.set(samples, silentMs * SAMPLES_PER_MS);
  return all;
}

/** Says where two runs of samples differ first, and 'the same' when they do not: a diff that a person can read. */
export function difference(actual: Int16Array, expected: Int16Array): string {
  const at = expected.findIndex((sample, i) => actual[i] !== sample);
  if (at >= 0) return `sample ${at} of ${expected.length} is ${actual[at]}, not ${expected[at]}`;
  return actual.length === expected.length ? 'the same' : `${actual.length} samples, not ${expected.length}`;
}
