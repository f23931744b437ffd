import { BYTES_PER_SAMPLE, type Channel } from '../contract/audio-format.ts';
import type { CallBuffer } from './call-buffer.ts';
import { type AudioBlock, sampleAt } from './pcm.ts';

/** One track's samples in order, each with its place on the call's clock; between them there may be gaps. */
export class Track {
  /** The frame after the last sample. */
  endFrame = 0;
  /** How many of the frames that `read` copied last are silence for want of samples, and where the last of them ends. */
  silentFrames = 0;
  silentTo = 0;
  /** When the oldest sample still to be written arrived; Infinity when there is none. */
  get waitingSinceMs(): number {
    return this.#blocks[0]?.arrivedAtMs ?? Infinity;
  }

  readonly #channel: Channel;
  /** Whole samples whose place is settled, waiting for their turn, and for each block the frame of its first sample. */
  readonly #blocks: AudioBlock[] = [];
  readonly #startFrames: number[] = [];
  /** The first blocks, whose audio was copied: the buffers of the others will be reused. */
  #kept = 0;
  /** The first byte of a sample that a block of odd length cut in two. */
  #half: number | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Adds a block whose samples begin at `startFrame`, which is not before `endFrame`. */
  append(startFrame: number, block: AudioBlock): void {
    const pcm = this.#wholeSamples(block.pcm, startFrame === this.endFrame);
    if (pcm.length > 0) {
      this.#blocks.push(pcm === block.pcm ? block : { ...block, pcm });
      this.#startFrames.push(startFrame);
    }
    this.endFrame = startFrame + pcm.length / BYTES_PER_SAMPLE;
  }

  /**
   * Puts a block into a gap before `endFrame` at `frame`, give or take `slackFrames`. Returns false, and adds nothing, if
   * no gap has room for it there.
   * @param fromFrame up to where the track was written to the buffer
   */
  fillGap(frame: number, block: AudioBlock, slackFrames: number, fromFrame: number): boolean {
    if (block.pcm.length % BYTES_PER_SAMPLE !== 0) return false;
    const frames = block.pcm.length / BYTES_PER_SAMPLE;
    const next = this.#startFrames.findIndex((startFrame) => startFrame > frame);
    if (next < 0) return false;
    const gapFrom = Math.max(fromFrame, next > 0 ? this.#endOf(next - 1) : 0);
    const start = Math.max(gapFrom, Math.min(frame, this.#startOf(next) - frames));
    if (start + frames > this.#startOf(next) || Math.abs(start - frame) > slackFrames) return false;
    // A copy: blocks before the kept ones must be kept as well.
    this.#blocks.splice(next, 0, { ...block, pcm: Buffer.from(block.pcm) });
    this.#startFrames.splice(next, 0, start);
    if (next < this.#kept) this.#kept++;
    return true;
  }

  /** Copies waiting audio whose buffer will be reused. */
  keep(): void {
    for (; this.#kept < this.#blocks.length; this.#kept++) {
      const block = this.#blocks[this.#kept] as AudioBlock;
      this.#blocks[this.#kept] = { ...block, pcm: Buffer.from(block.pcm) };
    }
  }

  /**
   * What of `pcm`, which is said to begin at `frame`, the track has not had yet; all of it when it is other audio, or
   * when the buffer no longer has what was there. Every sample is looked at: by some of them alone audio that differs
   * elsewhere would be taken for a repetition, and be lost.
   * @param takenFrames up to where the track was written to the buffer
   */
  newPart(frame: number, pcm: Uint8Array, buffer: CallBuffer, takenFrames: number): Uint8Array {
    const knownFrames = Math.min(Math.floor(pcm.length / BYTES_PER_SAMPLE), this.endFrame - frame);
    for (let i = 0; i < knownFrames; i++) {
      const at = frame + i;
      const before = at < takenFrames ? buffer.sampleAt(at, this.#channel) : this.#waitingSample(at);
      if (before !== sampleAt(pcm, i * BYTES_PER_SAMPLE)) return pcm;
    }
    return knownFrames > 0 ? pcm.subarray((this.endFrame - frame) * BYTES_PER_SAMPLE) : pcm;
  }

  /** Up to which frame there are samples without a gap from `frame` on; `frame` itself when it has none. */
  coveredTo(frame: number): number {
    let covered = frame;
    for (let i = 0; i < this.#blocks.length && this.#startOf(i) <= covered; i++) {
      covered = Math.max(covered, this.#endOf(i));
    }
    return covered;
  }

  /** The first frame after `frame` that has a sample; Infinity when there is none. */
  nextAfter(frame: number): number {
    return this.#startFrames.find((startFrame) => startFrame > frame) ?? Infinity;
  }

  /**
   * Copies the samples of frames `fromFrame` up to `toFrame` to `out`, with silence where there are none, and releases
   * them. Returns when the oldest of them arrived; Infinity when there are none.
   */
  read(out: Uint8Array, fromFrame: number, toFrame: number): number {
    let oldestMs = Infinity;
    let done = 0;
    let at = fromFrame;
    this.silentFrames = 0;
    for (const { pcm, arrivedAtMs } of this.#blocks) {
      const startFrame = this.#startOf(done);
      if (startFrame >= toFrame) break;
      if (arrivedAtMs < oldestMs) oldestMs = arrivedAtMs;
      const endFrame = this.#endOf(done);
      const first = Math.max(startFrame, at);
      const end = Math.min(endFrame, toFrame);
      if (end > first) {
        this.#silence(out, at, first, fromFrame);
        const isWhole = first === startFrame && end === endFrame;
        out.set(
          isWhole ? pcm : samples(pcm, first - startFrame, end - startFrame),
          (first - fromFrame) * BYTES_PER_SAMPLE,
        );
        at = end;
      }
      if (endFrame > toFrame) break;
      done++;
    }
    this.#silence(out, at, toFrame, fromFrame);
    this.#drop(done);
    return oldestMs;
  }

  #silence(out: Uint8Array, at: number, end: number, fromFrame: number): void {
    if (end <= at) return;
    out.fill(0, (at - fromFrame) * BYTES_PER_SAMPLE, (end - fromFrame) * BYTES_PER_SAMPLE);
    this.silentFrames += end - at;
    this.silentTo = end;
  }

  /** Forgets the first blocks. */
  #drop(count: number): void {
    this.#kept = Math.max(0, this.#kept - count);
    if (count === this.#blocks.length) {
      // Setting the length to 0 frees the arrays' memory, which the next read needs again.
      while (this.#blocks.length > 0) {
        this.#blocks.pop();
        this.#startFrames.pop();
      }
    } else if (count > 0) {
      this.#blocks.splice(0, count);
      this.#startFrames.splice(0, count);
    }
  }

  #startOf(nth: number): number {
    return this.#startFrames[nth] as number;
  }

  #endOf(nth: number): number {
    return this.#startOf(nth) + (this.#blocks[nth] as AudioBlock).pcm.length / BYTES_PER_SAMPLE;
  }

  /**
   * Samples may be cut in two where one odd block follows another. An odd block followed by an even one, or by a gap,
   * was not cut but is short of a byte: its last one is no sample and goes.
   */
  #wholeSamples(pcm: Uint8Array, follows: boolean): Uint8Array {
    const half = follows ? this.#half : undefined;
    this.#half = undefined;
    if (pcm.length % BYTES_PER_SAMPLE === 0) return pcm;
    if (half === undefined) {
      this.#half = pcm[pcm.length - 1];
      return pcm.subarray(0, -1);
    }
    const joined = new Uint8Array(pcm.length + 1);
    joined[0] = half;
    joined.set(pcm, 1);
    return joined;
  }

  /** The sample of a frame before the end that still waits for its turn; in a gap it is silence. */
  #waitingSample(frame: number): number {
    const nth = this.#startFrames.findLastIndex((startFrame) => startFrame <= frame);
    const pcm = this.#blocks[nth]?.pcm;
    const byte = (frame - (this.#startFrames[nth] ?? frame)) * BYTES_PER_SAMPLE;
    return pcm && byte < pcm.length ? sampleAt(pcm, byte) : 0;
  }
}

function samples(pcm: Uint8Array, from: number, end: number): Uint8Array {
  return pcm.subarray(from * BYTES_PER_SAMPLE, end * BYTES_PER_SAMPLE);
}

/** Frames between the two for which neither track has a sample. */
export function emptyFrames(one: Track, other: Track, fromFrame: number, toFrame: number): number {
  let empty = 0;
  let frame = fromFrame;
  while (frame < toFrame) {
    let covered = one.coveredTo(frame);
    if (covered < toFrame) covered = Math.max(covered, other.coveredTo(frame));
    if (covered > frame) {
      frame = covered;
    } else {
      const next = Math.min(toFrame, one.nextAfter(frame), other.nextAfter(frame));
      empty += next - frame;
      frame = next;
    }
  }
  return empty;
}
