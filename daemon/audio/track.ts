import { History } from './history.ts';
import { BYTES_PER_SAMPLE, CHANNELS, type Channel, sampleAt } from './pcm.ts';

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
  readonly #history = new History();
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
    this.#history.note(startFrame, samples);
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

  /** What of `pcm`, which is said to begin at `frame`, the track has not had yet; all of it when it is other audio. */
  newPart(frame: number, pcm: Uint8Array): Uint8Array {
    return this.#history.repeats(frame, pcm) ? pcm.subarray((this.endFrame - frame) * BYTES_PER_SAMPLE) : pcm;
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
      let to = (first - fromFrame) * CHANNELS + this.#channel;
      // By bytes: half of all blocks lie at an odd place in what was read, and a copy of each would cost more.
      for (let from = (first - startFrame) * BYTES_PER_SAMPLE; from < lastByte; from += BYTES_PER_SAMPLE) {
        out[to] = sampleAt(pcm, from);
        to += CHANNELS;
      }
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
}
