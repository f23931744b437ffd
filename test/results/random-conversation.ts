import type { Millis } from '../../daemon/runtime/clock.ts';
import { randomFrom } from '../support/random.ts';

/** A word, and where it is in the audio. */
export interface SpokenWord {
  readonly text: string;
  readonly startMs: Millis;
  readonly endMs: Millis;
}

/** How a Deepgram hears: facts that are not proven. */
export interface Reading {
  /** Word times of each connection are this much early or late at the most; 0 for exact ones. */
  readonly shiftMs: Millis;
  /** Each word has a shift of its own. */
  readonly isEachWordShifted: boolean;
  /** How often the word next to a cut is misheard. */
  readonly misheard: number;
  /** Digits are written as one number, over a cut too. */
  readonly mergesNumbers: boolean;
  /** Silence gets finals without words. */
  readonly finalizesSilence: boolean;
  /** Finals come without an end of an utterance after this much speech. */
  readonly longestMs: Millis;
}

/** A call: what is said on both channels, when connections break, and how Deepgram hears. */
export interface Conversation {
  readonly seed: number;
  readonly lengthMs: Millis;
  readonly channels: readonly [readonly SpokenWord[], readonly SpokenWord[]];
  /** In ms of the call, rising. */
  readonly breaksMs: readonly Millis[];
  /** After these breaks the daemon too begins again, from what the event log knows. */
  readonly crashes: readonly boolean[];
  readonly reading: Reading;
}

const VOCABULARY = 'alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa';
const COMMON = 'the and yes no I you it is to a';

/** Draws conversation number `nth` of a seed. */
export function randomConversation(seed: number, nth: number, eachWord = false): Conversation {
  const random = randomFrom(seed * 1_000_003 + nth);
  const int = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
  const pick = <T>(...choices: readonly T[]) => choices[int(0, choices.length - 1)] as T;
  const lengthMs = pick(20_000, 40_000, 90_000);
  const words = [...VOCABULARY.split(' '), ...COMMON.split(' '), ...COMMON.split(' ')];
  const misheard = pick(0, 0.5);
  // If the word at the cut is misheard and the next is the same word, nobody can tell which of them was repeated.
  const differing = (spoken: readonly SpokenWord[], draw: () => string): string => {
    const recent = misheard > 0 ? spoken.slice(-3).map(({ text }) => text) : [];
    let text = draw();
    while (recent.includes(text)) text = draw();
    return text;
  };
  const speak = (): SpokenWord[] => {
    const spoken: SpokenWord[] = [];
    for (let atMs = int(0, 6000); atMs < lengthMs - 2000; atMs += int(400, 8000)) {
      const isNumber = random() < 0.15;
      for (let left = int(1, 25); left > 0 && atMs < lengthMs - 2000; left--) {
        const startMs = atMs + int(0, 120);
        const endMs = startMs + int(130, 450);
        const text = differing(spoken, () => (isNumber ? String(int(0, 9)) : pick(...words)));
        spoken.push({ text, startMs, endMs });
        atMs = endMs;
      }
    }
    return spoken;
  };
  const isSilent = random() < 0.15;
  const shiftMs = pick(0, 200);
  const breaksMs = Array.from({ length: int(1, 6) }, () => int(500, lengthMs)).toSorted((a, b) => a - b);
  return {
    seed: int(0, 2 ** 30),
    lengthMs,
    channels: random() < 0.5 ? [speak(), isSilent ? [] : speak()] : [isSilent ? [] : speak(), speak()],
    breaksMs,
    crashes: breaksMs.map(() => random() < 0.2),
    reading: {
      shiftMs,
      isEachWordShifted: eachWord,
      misheard,
      mergesNumbers: random() < 0.5,
      finalizesSilence: random() < 0.5,
      longestMs: pick(5000, 12_000),
    },
  };
}
