import type { SampleCall, SamplePhrase } from '../../fixtures/sample-call/read.ts';

/** A recognizable word and its samples. */
export interface KnownWord {
  word: string;
  /** With capitals and punctuation. */
  written: string;
  samples: Int16Array;
  phrase: SamplePhrase;
  indexInPhrase: number;
  /** From the end of this word to the end of its phrase. */
  samplesToPhraseEnd: number;
}

/** Samples at a word's start that identify it: noise alone makes this many distinct. */
export const ANCHOR_SAMPLES = 16;
/** An odd multiplier with well-mixed bits, from MurmurHash's finalizer. */
export const HASH_BASE = 0x85eb_ca6b | 0;

/** All words of one speaker, by the hash of their first ANCHOR_SAMPLES samples. */
export class Vocabulary {
  readonly #byAnchor = new Map<number, KnownWord[]>();
  /** Rules out nearly every sample without a map lookup. */
  readonly #filter = new Uint8Array(1 << 16);

  constructor(words: readonly KnownWord[]) {
    for (const word of words) {
      const hash = anchorHash(word.samples);
      this.#byAnchor.set(hash, [...(this.#byAnchor.get(hash) ?? []), word]);
      this.#filter[filterIndex(hash)] = 1;
    }
  }

  /** Words whose anchor has this hash; their samples remain to be compared. */
  spot(hash: number): readonly KnownWord[] | undefined {
    return this.#filter[filterIndex(hash)] === 1 ? this.#byAnchor.get(hash) : undefined;
  }
}

/** The sample call's words per channel: the customer's, then the agent's. */
export function vocabulariesOf(call: SampleCall): readonly Vocabulary[] {
  return (['customer', 'agent'] as const).map((speaker) => {
    const phrases = call.phrases.filter((phrase) => phrase.speaker === speaker);
    return new Vocabulary(phrases.flatMap((phrase) => knownWords(phrase, call[speaker])));
  });
}

function knownWords(phrase: SamplePhrase, track: Int16Array): KnownWord[] {
  const written = phrase.text.split(' ');
  const phraseEnd = phrase.words.at(-1)?.endSample ?? 0;
  return phrase.words.map(({ word, startSample, endSample }, indexInPhrase) => ({
    word,
    written: written[indexInPhrase] ?? word,
    samples: track.subarray(startSample, endSample),
    phrase,
    indexInPhrase,
    samplesToPhraseEnd: phraseEnd - endSample,
  }));
}

/** The recognizer's rolling hash of these samples. */
function anchorHash(samples: Int16Array): number {
  return samples.subarray(0, ANCHOR_SAMPLES).reduce((hash, sample) => (Math.imul(hash, HASH_BASE) + sample) | 0, 0);
}

function filterIndex(hash: number): number {
  return (hash ^ (hash >>> 16)) & 0xffff;
}
