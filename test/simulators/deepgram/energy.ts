/** A run of loud audio, [startSample, endSample), which short pauses do not end. */
interface LoudRun {
  startSample: number;
  endSample: number;
  loudFrames: number;
}

/** Loudness is measured over 20 ms, as in speech codecs. */
const FRAMES_PER_SECOND = 50;
/** Root mean square, of 32767: far above the noise of a line, far below speech. */
const LOUD_RMS = 200;
/** Pauses within a sentence are shorter than half a second. */
const QUIET_FRAMES_THAT_END_IT = 25;
/** Anything shorter than 100 ms is a click, not speech. */
const LEAST_LOUD_FRAMES = 5;
/** Speech without pauses is reported every five seconds. */
const LONGEST_FRAMES = 250;

/** Distinguishes speech from silence on one channel by loudness. */
export class EnergyDetector {
  readonly frameSamples: number;
  #run: LoudRun | undefined;
  #squares = 0;

  constructor(sampleRateHz: number) {
    this.frameSamples = Math.round(sampleRateHz / FRAMES_PER_SECOND);
  }

  /** The current run, which may be too short for speech. */
  get run(): LoudRun | undefined {
    return this.#run;
  }

  /** The current run, if it is long enough for speech. */
  get speech(): LoudRun | undefined {
    return this.#run && this.#run.loudFrames >= LEAST_LOUD_FRAMES ? this.#run : undefined;
  }

  /** Adds samples of the current frame. */
  add(samples: Int16Array): void {
    for (const sample of samples) this.#squares += sample * sample;
  }

  /** Evaluates the frame that ends at `endSample`. True if the run has ended, by a pause or by its length. */
  endFrame(endSample: number): boolean {
    const isLoud = Math.sqrt(this.#squares / this.frameSamples) > LOUD_RMS;
    this.#squares = 0;
    if (isLoud) {
      this.#run ??= { startSample: endSample - this.frameSamples, endSample, loudFrames: 0 };
      this.#run.endSample = endSample;
      this.#run.loudFrames += 1;
    }
    if (!this.#run) return false;
    const quietFrames = (endSample - this.#run.endSample) / this.frameSamples;
    const allFrames = (endSample - this.#run.startSample) / this.frameSamples;
    return quietFrames >= QUIET_FRAMES_THAT_END_IT || allFrames >= LONGEST_FRAMES;
  }

  /** Discards the run after it has been reported. */
  forget(): void {
    this.#run = undefined;
  }
}
