import { BYTES_PER_SAMPLE, SAMPLES_PER_MS, sampleAt } from './pcm.ts';

/** What a producer sends again is a fragment, some seconds long. */
const HISTORY_MS = 4096;
/**
 * One sample of each ms is kept: 8 KiB a track in place of 64. A block of Connect's has 64 of them, and that all of
 * them are alike in two pieces of audio at the same place happens only in silence.
 */
const STRIDE = SAMPLES_PER_MS;
/** HISTORY_MS is a power of two. */
const LAST_CELL = HISTORY_MS - 1;

/** Samples of the last seconds of a track, to tell whether audio came before. */
export class History {
  readonly #ring = new Uint16Array(HISTORY_MS);
  #endFrame = 0;

  /** Takes note of samples from `startFrame` on; what lies between them and the ones before was silence. */
  note(startFrame: number, samples: Uint8Array): void {
    const ring = this.#ring;
    const endFrame = startFrame + samples.length / BYTES_PER_SAMPLE;
    const gapEnd = Math.ceil(startFrame / STRIDE);
    const gapStart = Math.max(Math.ceil(this.#endFrame / STRIDE), gapEnd - HISTORY_MS);
    for (let cell = gapStart; cell < gapEnd; cell++) ring[cell & LAST_CELL] = 0;
    const end = Math.ceil(endFrame / STRIDE);
    for (let cell = Math.max(gapEnd, end - HISTORY_MS); cell < end; cell++) {
      ring[cell & LAST_CELL] = sampleAt(samples, (cell * STRIDE - startFrame) * BYTES_PER_SAMPLE);
    }
    this.#endFrame = endFrame;
  }

  /** Whether these are, by all that is kept, the samples that the track has had from `frame` on, as far as it has had any there. */
  repeats(frame: number, samples: Uint8Array): boolean {
    if (frame < 0 || frame >= this.#endFrame || frame < this.#endFrame - HISTORY_MS * STRIDE) return false;
    const first = Math.ceil(frame / STRIDE);
    const wholeFrames = Math.floor(samples.length / BYTES_PER_SAMPLE);
    const end = Math.ceil(Math.min(frame + wholeFrames, this.#endFrame) / STRIDE);
    for (let cell = first; cell < end; cell++) {
      if (this.#ring[cell & LAST_CELL] !== sampleAt(samples, (cell * STRIDE - frame) * BYTES_PER_SAMPLE)) return false;
    }
    return end > first;
  }
}
