/** What is said in a load run's calls, as Deepgram returns it: any process knows every word of every call. */
import { type Channel, SAMPLE_RATE_HZ } from '../../daemon/contract/audio-format.ts';
import type { TranscribedWord } from '../simulators/deepgram/transcriber.ts';

const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;
/** Two and a half words a second, as people speak. */
const WORD_EVERY_MS = 400;
/** Within its time, a word is between pauses of this length. */
const PAUSE_MS = 50;
const SENTENCE_WORDS = 10;
const VOCABULARY =
  'about account again already appointment balance because billing calling cancel change charge confirm could customer delivery email everything first having help invoice issue just know later let looking minute month need number order package payment please problem question refund right second send should something thank that there think this today tomorrow update very wanted week where which would yesterday'.split(
    ' ',
  );
/** Prime, so that words of neighbors differ. */
const [CALL_FACTOR, CHANNEL_FACTOR, INDEX_FACTOR] = [7919, 104_729, 1_299_709];

/** A channel has a final result at every multiple of this, shifted by `finalShiftMs`. */
export const FINAL_EVERY_MS = 4000;
/** With interim results, one comes this often. */
export const INTERIM_EVERY_MS = 1000;

/** Spreads the finals of calls and channels over FINAL_EVERY_MS; no word crosses one. */
export function finalShiftMs(call: number, channel: Channel): number {
  return ((call * WORD_EVERY_MS * 3) % FINAL_EVERY_MS) + (channel * FINAL_EVERY_MS) / 2;
}

/** The index of the first word that begins at or after a time of the call. */
export function wordIndexAt(ms: number): number {
  return Math.max(0, Math.ceil((ms - PAUSE_MS) / WORD_EVERY_MS));
}

/** The words of a channel that are said completely between two times of the call, in samples of the call. */
export function wordsBetween(call: number, channel: Channel, fromMs: number, toMs: number): TranscribedWord[] {
  const words: TranscribedWord[] = [];
  for (let index = wordIndexAt(fromMs); (index + 1) * WORD_EVERY_MS - PAUSE_MS <= toMs; index++) {
    words.push(wordAt(call, channel, index));
  }
  return words;
}

function wordAt(call: number, channel: Channel, index: number): TranscribedWord {
  const hash = call * CALL_FACTOR + channel * CHANNEL_FACTOR + index * INDEX_FACTOR;
  const word = VOCABULARY[((hash ^ (hash >>> 7)) >>> 0) % VOCABULARY.length] as string;
  const beginMs = index * WORD_EVERY_MS;
  return {
    word,
    written: writtenAt(word, index % SENTENCE_WORDS),
    startSample: (beginMs + PAUSE_MS) * SAMPLES_PER_MS,
    endSample: (beginMs + WORD_EVERY_MS - PAUSE_MS) * SAMPLES_PER_MS,
  };
}

function writtenAt(word: string, inSentence: number): string {
  if (inSentence === 0) return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
  return inSentence === SENTENCE_WORDS - 1 ? `${word}.` : word;
}
