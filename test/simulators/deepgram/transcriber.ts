import type { SamplePhrase } from '../../fixtures/sample-call/read.ts';
import { EnergyDetector } from './energy.ts';
import { type HeardWord, Recogniser } from './recogniser.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface TranscribedWord {
  word: string;
  written: string;
  startSample: number;
  endSample: number;
}

/** One result for one channel. The final ones cover the channel's audio without a gap, silence included. */
export interface Utterance {
  startSample: number;
  endSample: number;
  words: TranscribedWord[];
  isFinal: boolean;
  speechFinal: boolean;
  fromFinalize: boolean;
}

interface PendingPhrase {
  phrase: SamplePhrase;
  words: HeardWord[];
  expectedEndSample: number;
}

/** Deepgram settles silence too, with an empty transcript, every few seconds. */
const LONGEST_UNSETTLED_SILENCE_S = 3;
/** What is said for speech that is not in the vocabulary. */
const UNKNOWN_SPEECH = '[speech]';

/** Turns one channel's audio into utterances. All decisions fall at the ends of 20 ms frames of the channel's own
 *  clock, so they are the same wherever the audio was cut into messages. */
export class Transcriber {
  readonly #recogniser: Recogniser;
  readonly #energy: EnergyDetector;
  readonly #longestSilenceSamples: number;
  #position = 0;
  #settledSample = 0;
  #pending: PendingPhrase | undefined;
  #hasGrown = false;
  #utterances: Utterance[] = [];

  constructor(vocabulary: Vocabulary, sampleRateHz: number) {
    this.#recogniser = new Recogniser(vocabulary);
    this.#energy = new EnergyDetector(sampleRateHz);
    this.#longestSilenceSamples = LONGEST_UNSETTLED_SILENCE_S * sampleRateHz;
  }

  /** What lies before is told for good: no word will be found in it any more. */
  get #decidedSample(): number {
    return Math.max(this.#settledSample, this.#recogniser.settledSample);
  }

  /** Takes the samples that follow; gives the utterances that they made, interim ones included. */
  hear(samples: Int16Array): Utterance[] {
    for (let taken = 0; taken < samples.length; ) {
      const untilFrameEnd = this.#energy.frameSamples - (this.#position % this.#energy.frameSamples);
      const part = samples.subarray(taken, taken + untilFrameEnd);
      for (const word of this.#recogniser.listen(part)) this.#take(word);
      this.#energy.add(part);
      this.#position += part.length;
      taken += part.length;
      if (part.length === untilFrameEnd) this.#decide();
    }
    return this.#handOver();
  }

  /** Settles all audio so far; gives at most one utterance more than those that were due. */
  flush({ fromFinalize }: { fromFinalize: boolean }): Utterance[] {
    const isInWord = fromFinalize && this.#recogniser.isInWord;
    if (this.#pending) this.#settle(this.#position, this.#pending.words.map(transcribed), { fromFinalize });
    else if (!isInWord && this.#energy.speech) this.#settle(this.#position, this.#unknownSpeech(), { fromFinalize });
    else if (this.#position > this.#settledSample) this.#settle(this.#position, [], { fromFinalize });
    return this.#handOver();
  }

  #take(word: HeardWord): void {
    const last = this.#pending?.words.at(-1);
    const goesOn =
      last && last.known.phrase === word.known.phrase && last.known.indexInPhrase < word.known.indexInPhrase;
    if (!goesOn) {
      if (this.#pending) this.#settlePhrase(Math.min(this.#pending.expectedEndSample, word.startSample));
      this.#pending = { phrase: word.known.phrase, words: [], expectedEndSample: 0 };
    }
    this.#pending?.words.push(word);
    if (this.#pending) this.#pending.expectedEndSample = word.endSample + word.known.samplesToPhraseEnd;
    this.#hasGrown = true;
  }

  #decide(): void {
    const isStretchOver = this.#energy.endFrame(this.#position);
    if (this.#pending) {
      if (this.#position >= this.#pending.expectedEndSample) this.#settlePhrase(this.#pending.expectedEndSample);
      else if (this.#hasGrown) this.#utterances.push(this.#interim(this.#pending));
      this.#hasGrown = false;
    } else if (isStretchOver) {
      if (this.#energy.speech) this.#settle(this.#decidedSample, this.#unknownSpeech());
      this.#energy.forget();
    } else if (!this.#energy.stretch && this.#position - this.#settledSample >= this.#longestSilenceSamples) {
      this.#settle(this.#decidedSample, []);
    }
  }

  #settlePhrase(endSample: number): void {
    this.#settle(endSample, this.#pending?.words.map(transcribed) ?? []);
  }

  #settle(endSample: number, words: TranscribedWord[], { fromFinalize = false } = {}): void {
    // After a Finalize within a word, the word begins before what was settled then.
    const startSample = Math.min(this.#settledSample, words[0]?.startSample ?? endSample);
    this.#utterances.push({
      startSample,
      endSample,
      words,
      isFinal: true,
      speechFinal: words.length > 0,
      fromFinalize,
    });
    this.#settledSample = endSample;
    this.#pending = undefined;
    this.#energy.forget();
  }

  #interim({ words }: PendingPhrase): Utterance {
    return {
      startSample: this.#settledSample,
      endSample: this.#position,
      words: words.map(transcribed),
      isFinal: false,
      speechFinal: false,
      fromFinalize: false,
    };
  }

  #unknownSpeech(): TranscribedWord[] {
    const { startSample = 0, endSample = 0 } = this.#energy.stretch ?? {};
    return [{ word: UNKNOWN_SPEECH, written: UNKNOWN_SPEECH, startSample, endSample }];
  }

  #handOver(): Utterance[] {
    const utterances = this.#utterances;
    this.#utterances = [];
    return utterances;
  }
}

function transcribed({ known, startSample, endSample }: HeardWord): TranscribedWord {
  return { word: known.word, written: known.written, startSample, endSample };
}
