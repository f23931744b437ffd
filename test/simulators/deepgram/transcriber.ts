import type { SamplePhrase } from '../../fixtures/sample-call/read.ts';
import { EnergyDetector } from './energy.ts';
import { type HeardWord, Recognizer } from './recognizer.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface TranscribedWord {
  word: string;
  written: string;
  startSample: number;
  endSample: number;
}

/** A result for one channel. Final results cover the channel's audio without a gap, including silence. */
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

/** Deepgram finalizes silence, too, with an empty transcript, every few seconds. */
const LONGEST_UNSETTLED_SILENCE_S = 3;
/** Transcript of speech that is not in the vocabulary. */
const UNKNOWN_SPEECH = '[speech]';

/** Turns one channel's audio into utterances. All decisions are made at the ends of 20 ms frames, so the split of audio
 *  into messages does not matter. */
export class Transcriber {
  readonly #recognizer: Recognizer;
  readonly #energy: EnergyDetector;
  readonly #longestSilenceSamples: number;
  #position = 0;
  #settledSample = 0;
  #pending: PendingPhrase | undefined;
  #hasGrown = false;
  #utterances: Utterance[] = [];

  constructor(vocabulary: Vocabulary, sampleRateHz: number, silenceFinals = true) {
    this.#recognizer = new Recognizer(vocabulary);
    this.#energy = new EnergyDetector(sampleRateHz);
    this.#longestSilenceSamples = silenceFinals ? LONGEST_UNSETTLED_SILENCE_S * sampleRateHz : Infinity;
  }

  /** Everything before this is final. */
  get #decidedSample(): number {
    return Math.max(this.#settledSample, this.#recognizer.settledSample);
  }

  /** Takes the next samples; returns the resulting utterances, including interim ones. */
  hear(samples: Int16Array): Utterance[] {
    for (let taken = 0; taken < samples.length; ) {
      const untilFrameEnd = this.#energy.frameSamples - (this.#position % this.#energy.frameSamples);
      const part = samples.subarray(taken, taken + untilFrameEnd);
      for (const word of this.#recognizer.listen(part)) this.#take(word);
      this.#energy.add(part);
      this.#position += part.length;
      taken += part.length;
      if (part.length === untilFrameEnd) this.#decide();
    }
    return this.#handOver();
  }

  /** Finalizes all audio so far; returns at most one utterance more than were due. */
  flush({ fromFinalize }: { fromFinalize: boolean }): Utterance[] {
    const isInWord = fromFinalize && this.#recognizer.isInWord;
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
    const isRunOver = this.#energy.endFrame(this.#position);
    if (this.#pending) {
      if (this.#position >= this.#pending.expectedEndSample) this.#settlePhrase(this.#pending.expectedEndSample);
      else if (this.#hasGrown) this.#utterances.push(this.#interim(this.#pending));
      this.#hasGrown = false;
    } else if (isRunOver) {
      if (this.#energy.speech) this.#settle(this.#decidedSample, this.#unknownSpeech());
      this.#energy.forget();
    } else if (!this.#energy.run && this.#position - this.#settledSample >= this.#longestSilenceSamples) {
      this.#settle(this.#decidedSample, []);
    }
  }

  #settlePhrase(endSample: number): void {
    this.#settle(endSample, this.#pending?.words.map(transcribed) ?? []);
  }

  #settle(endSample: number, words: TranscribedWord[], { fromFinalize = false } = {}): void {
    // After a Finalize within a word, the word starts before the end of the final audio.
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
    const { startSample = 0, endSample = 0 } = this.#energy.run ?? {};
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
