/** A run of loud audio, [startSample, endSample), as long as the quiet after it has not lasted. */
export interface LoudStretch {
  startSample: number;
  endSample: number;
  loudFrames: number;
}

/** Loudness is judged over 20 ms, as speech codecs do. */
const FRAMES_PER_SECOND = 50;
/** Root mean square, of 32767: far above a quiet line, far below speech on it. */
const LOUD_RMS = 200;
/** Pauses within a sentence are shorter than half a second. */
const QUIET_FRAMES_THAT_END_IT = 25;
/** Shorter than 100 ms in all is a click, not speech. */
const LEAST_LOUD_FRAMES = 5;
/** Speech without a pause is reported in pieces of five seconds. */
const LONGEST_FRAMES = 250;

/** Tells speech from silence on one channel by loudness alone. */
export class EnergyDetector {
  readonly frameSamples: number;
  #stretch: LoudStretch | undefined;
  #squares = 0;

  constructor(sampleRateHz: number) {
    this.frameSamples = Math.round(sampleRateHz / FRAMES_PER_SECOND);
  }

  /** The stretch that is going on, long enough to be speech or not. */
  get stretch(): LoudStretch | undefined {
    return this.#stretch;
  }

  /** The stretch that is going on, if it is speech by now. */
  get speech(): LoudStretch | undefined {
    return this.#stretch && this.#stretch.loudFrames >= LEAST_LOUD_FRAMES ? this.#stretch : undefined;
  }

  /** Takes samples of the current frame. */
  add(samples: Int16Array): void {
    for (const sample of samples) this.#squares += sample * sample;
  }

  /** Judges the frame that ends at `endSample`. True when the stretch is over, by quiet or by its length. */
  endFrame(endSample: number): boolean {
    const isLoud = Math.sqrt(this.#squares / this.frameSamples) > LOUD_RMS;
    this.#squares = 0;
    if (isLoud) {
      this.#stretch ??= { startSample: endSample - this.frameSamples, endSample, loudFrames: 0 };
      this.#stretch.endSample = endSample;
      this.#stretch.loudFrames += 1;
    }
    if (!this.#stretch) return false;
    const quietFrames = (endSample - this.#stretch.endSample) / this.frameSamples;
    const allFrames = (endSample - this.#stretch.startSample) / this.frameSamples;
    return quietFrames >= QUIET_FRAMES_THAT_END_IT || allFrames >= LONGEST_FRAMES;
  }

  /** Forgets the stretch: somebody has accounted for it. */
  forget(): void {
    this.#stretch = undefined;
  }
}
