import { BYTES_PER_SAMPLE, CHANNELS, type Channel, sampleAt } from './pcm.ts';
import type { Tape } from './tape.ts';

/** Audio of one track whose place on the call's clock is settled, waiting for its turn. */
interface Stretch {
  /** The frame of the call that its first sample belongs to. */
  readonly startFrame: number;
  pcm: Uint8Array;
  readonly arrivedAtMs: number;
  /** Whether the audio is only lent to us. */
  isLent: boolean;
}

/** One track's samples in order, each with its place on the call's clock; between them there may be gaps. */
export class Track {
  /** The frame after the last sample. */
  endFrame = 0;
  /** When the oldest sample still to be written arrived; Infinity when there is none. */
  get waitingSinceMs(): number {
    return this.#stretches[0]?.arrivedAtMs ?? Infinity;
  }

  readonly #channel: Channel;
  #stretches: Stretch[] = [];
  /** The first byte of a sample that a block of odd length cut in two. */
  #half: number | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Adds samples that begin at `startFrame`, which is not before `endFrame`. */
  append(startFrame: number, pcm: Uint8Array, arrivedAtMs: number): void {
    const samples = this.#wholeSamples(pcm, startFrame === this.endFrame);
    if (samples.length > 0) this.#stretches.push({ startFrame, pcm: samples, arrivedAtMs, isLent: true });
    this.endFrame = startFrame + samples.length / BYTES_PER_SAMPLE;
  }

  /** Makes a copy of what waits for its turn and is only lent to us. */
  keep(): void {
    for (const stretch of this.#stretches) {
      if (!stretch.isLent) continue;
      stretch.pcm = Buffer.from(stretch.pcm);
      stretch.isLent = false;
    }
  }

  /**
   * What of `pcm`, which is said to begin at `frame`, the track has not had yet; all of it when it is other audio, or
   * when the tape no longer has what was there. Every sample is looked at: by some of them alone audio that differs
   * elsewhere would be taken for a repetition, and be lost.
   * @param takenFrames up to where the track was written to the tape
   */
  newPart(frame: number, pcm: Uint8Array, tape: Tape, takenFrames: number): Uint8Array {
    const knownFrames = Math.min(Math.floor(pcm.length / BYTES_PER_SAMPLE), this.endFrame - frame);
    for (let i = 0; i < knownFrames; i++) {
      const at = frame + i;
      const before = at < takenFrames ? tape.sampleAt(at, this.#channel) : this.#waitingSample(at);
      if (before !== sampleAt(pcm, i * BYTES_PER_SAMPLE)) return pcm;
    }
    return knownFrames > 0 ? pcm.subarray((this.endFrame - frame) * BYTES_PER_SAMPLE) : pcm;
  }

  /** Up to which frame there are samples without a gap from `frame` on; `frame` itself when it has none. */
  coveredTo(frame: number): number {
    let covered = frame;
    for (const { startFrame, pcm } of this.#stretches) {
      if (startFrame > covered) break;
      covered = Math.max(covered, startFrame + pcm.length / BYTES_PER_SAMPLE);
    }
    return covered;
  }

  /** The first frame after `frame` that has a sample; Infinity when there is none. */
  nextAfter(frame: number): number {
    for (const { startFrame } of this.#stretches) if (startFrame > frame) return startFrame;
    return Infinity;
  }

  /**
   * Writes the samples of frames `fromFrame` up to `toFrame` into `out`, 2-channel PCM that begins at `fromFrame`, and
   * lets go of them. What the track has no sample for is left as it is. Gives when the oldest of them arrived.
   */
  write(out: Int16Array, fromFrame: number, toFrame: number): number {
    let oldestMs = Infinity;
    let done = 0;
    for (const { startFrame, pcm, arrivedAtMs } of this.#stretches) {
      if (startFrame >= toFrame) break;
      const endOfStretch = startFrame + pcm.length / BYTES_PER_SAMPLE;
      const lastByte = (Math.min(endOfStretch, toFrame) - startFrame) * BYTES_PER_SAMPLE;
      const first = Math.max(startFrame, fromFrame);
      const to = (first - fromFrame) * CHANNELS + this.#channel;
      interleave(pcm, (first - startFrame) * BYTES_PER_SAMPLE, lastByte, out, to);
      if (arrivedAtMs < oldestMs) oldestMs = arrivedAtMs;
      if (endOfStretch > toFrame) break;
      done++;
    }
    if (done === this.#stretches.length) this.#stretches.length = 0;
    else if (done > 0) this.#stretches.splice(0, done);
    return oldestMs;
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
    const stretch = this.#stretches.findLast(({ startFrame }) => startFrame <= frame);
    const byte = (frame - (stretch?.startFrame ?? frame)) * BYTES_PER_SAMPLE;
    return stretch && byte < stretch.pcm.length ? sampleAt(stretch.pcm, byte) : 0;
  }
}

/** Writes the samples from byte `from` up to `end` to every other place of `out`, from `to` on. */
function interleave(pcm: Uint8Array, from: number, end: number, out: Int16Array, to: number): void {
  const count = (end - from) / BYTES_PER_SAMPLE;
  if (count <= 0) return;
  const at = pcm.byteOffset + from;
  const isOdd = at % BYTES_PER_SAMPLE !== 0;
  const words = new Uint16Array(pcm.buffer, isOdd ? at - 1 : at, count);
  if (!isOdd) {
    for (let i = 0; i < count; i++) out[to + i * CHANNELS] = words[i] as number;
    return;
  }
  // Half of all blocks lie at an odd place in what was read: each sample is in two words, and each word is read once.
  let low = (words[0] as number) >>> 8;
  for (let i = 1; i < count; i++) {
    const word = words[i] as number;
    out[to + (i - 1) * CHANNELS] = low | (word << 8);
    low = word >>> 8;
  }
  out[to + (count - 1) * CHANNELS] = low | ((pcm[end - 1] as number) << 8);
}
