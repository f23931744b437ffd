import { BYTES_PER_SAMPLE, SAMPLES_PER_MS } from './pcm.ts';

/**
 * What a producer sends again is a fragment, one or two seconds long: 32 KiB of memory per track. All of it is kept: by
 * some of the samples alone audio that differs elsewhere would be taken for a repetition, and be lost.
 */
const HISTORY_FRAMES = 2048 * SAMPLES_PER_MS;
const HISTORY_BYTES = HISTORY_FRAMES * BYTES_PER_SAMPLE;

/** The last seconds of a track, to tell whether audio came before. */
export class History {
  readonly #ring = new Uint8Array(HISTORY_BYTES);
  #endFrame = 0;

  /** Takes note of samples from `startFrame` on; what lies between them and the ones before was silence. */
  note(startFrame: number, samples: Uint8Array): void {
    const gap = Math.min((startFrame - this.#endFrame) * BYTES_PER_SAMPLE, HISTORY_BYTES);
    if (gap > 0) this.#write(startFrame * BYTES_PER_SAMPLE - gap, new Uint8Array(gap));
    const kept = samples.subarray(Math.max(0, samples.length - HISTORY_BYTES));
    this.#endFrame = startFrame + samples.length / BYTES_PER_SAMPLE;
    this.#write(this.#endFrame * BYTES_PER_SAMPLE - kept.length, kept);
  }

  /** Whether these are the samples that the track has had from `frame` on, as far as it has had any there. */
  repeats(frame: number, samples: Uint8Array): boolean {
    if (frame < 0 || frame >= this.#endFrame || frame < this.#endFrame - HISTORY_FRAMES) return false;
    const known = Math.min(samples.length, (this.#endFrame - frame) * BYTES_PER_SAMPLE);
    let at = (frame * BYTES_PER_SAMPLE) % HISTORY_BYTES;
    for (let i = 0; i < known; i++) {
      if (samples[i] !== this.#ring[at]) return false;
      if (++at === HISTORY_BYTES) at = 0;
    }
    return true;
  }

  #write(position: number, bytes: Uint8Array): void {
    const at = position % HISTORY_BYTES;
    const first = bytes.subarray(0, HISTORY_BYTES - at);
    this.#ring.set(first, at);
    this.#ring.set(bytes.subarray(first.length), 0);
  }
}
