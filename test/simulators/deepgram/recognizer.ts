import { ANCHOR_SAMPLES, HASH_BASE, type KnownWord, type Vocabulary } from './vocabulary.ts';

/** A recognized word: [startSample, endSample) of the connection's audio. */
export interface HeardWord {
  known: KnownWord;
  startSample: number;
  endSample: number;
}

interface Candidate {
  known: KnownWord;
  startSample: number;
}

/** Weight of the oldest sample in the rolling hash. */
const OLDEST_WEIGHT = Array.from({ length: ANCHOR_SAMPLES }).reduce((w: number) => Math.imul(w, HASH_BASE), 1);

/** Finds the vocabulary's words in one channel. A word is recognized only if every sample of it arrived. Takes a few
 *  operations per sample, however the audio is split into calls of `listen`. */
export class Recognizer {
  readonly #vocabulary: Vocabulary;
  readonly #recent = new Int16Array(ANCHOR_SAMPLES);
  #candidates: Candidate[] = [];
  #hash = 0;
  #position = 0;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** True while all audio since some word's start matches that word. */
  get isInWord(): boolean {
    return this.#candidates.length > 0;
  }

  /** No word that may still be recognized starts before this sample. */
  get settledSample(): number {
    const unseenStart = Math.max(0, this.#position - ANCHOR_SAMPLES + 1);
    return Math.min(unseenStart, ...this.#candidates.map(({ startSample }) => startSample));
  }

  /** Takes the next samples; returns the words that end in them. */
  listen(samples: Int16Array): HeardWord[] {
    const heard: HeardWord[] = [];
    for (const sample of samples) {
      if (this.#candidates.length > 0) this.#follow(sample, heard);
      const slot = this.#position % ANCHOR_SAMPLES;
      const leaving = this.#recent[slot] ?? 0;
      this.#hash = (Math.imul(this.#hash, HASH_BASE) + sample - Math.imul(leaving, OLDEST_WEIGHT)) | 0;
      this.#recent[slot] = sample;
      this.#position += 1;
      const spotted = this.#vocabulary.spot(this.#hash);
      if (spotted) this.#begin(spotted);
    }
    return heard;
  }

  #follow(sample: number, heard: HeardWord[]): void {
    this.#candidates = this.#candidates.filter(({ known, startSample }) => {
      const index = this.#position - startSample;
      if (known.samples[index] !== sample) return false;
      if (index + 1 < known.samples.length) return true;
      heard.push({ known, startSample, endSample: this.#position + 1 });
      return false;
    });
  }

  #begin(spotted: readonly KnownWord[]): void {
    const startSample = this.#position - ANCHOR_SAMPLES;
    if (startSample < 0) return;
    for (const known of spotted) {
      const matches = this.#recent.every(
        (_, i) => this.#recent[(startSample + i) % ANCHOR_SAMPLES] === known.samples[i],
      );
      if (matches) this.#candidates.push({ known, startSample });
    }
  }
}
