import { Relay } from '../../daemon/results/relay.ts';
import type { Millis } from '../../daemon/runtime/clock.ts';
import { randomFrom } from '../support/random.ts';
import { RecordedEvents } from '../support/recorded-events.ts';
import type { Conversation, Reading, SpokenWord } from './random-conversation.ts';

/** A pause that ends an utterance, and how long after it the final comes. */
const ENDPOINT_MS: Millis = 300;
const LATENCY_MS: Millis = 200;
const SILENCE_MS: Millis = 3000;
/** A new connection begins this much before what is not final. */
const MARGIN_MS: Millis = 2000;

interface Final {
  readonly channel: 0 | 1;
  readonly startMs: Millis;
  readonly endMs: Millis;
  readonly speechFinal: boolean;
  readonly words: readonly SpokenWord[];
  /** When it comes. */
  readonly atMs: Millis;
}

/** Lets Deepgram hear a conversation over all its connections, and a relay make events of it. */
export function hear(conversation: Conversation): RecordedEvents {
  const { breaksMs, crashes, lengthMs, reading, channels, seed } = conversation;
  const random = randomFrom(seed);
  const log = new RecordedEvents();
  let relay = new Relay(log);
  let offsetMs = 0;
  [...breaksMs, Infinity].forEach((breakMs, nth) => {
    const hearing = new Hearing(reading, random, offsetMs);
    const finals = ([0, 1] as const).flatMap((channel) => hearing.finalsOf(channel, channels[channel], lengthMs));
    const came = finals.filter(({ atMs }) => atMs < breakMs).toSorted((a, b) => a.atMs - b.atMs);
    for (const final of came) relay.take(messageOf(final, offsetMs), offsetMs, nth + 1);
    if (crashes[nth]) relay = new Relay(log);
    offsetMs = Math.max(0, beginning(relay, channels, breakMs) - Math.floor(random() * 1000));
  });
  return log;
}

/** Where the next connection begins: a channel that has been silent since its last final counts as final. */
function beginning(relay: Relay, channels: Conversation['channels'], breakMs: Millis): Millis {
  if (breakMs === Infinity) return 0;
  const notFinal = ([0, 1] as const).map((channel) => {
    const finalMs = relay.finalMs[channel];
    const next = channels[channel].find(({ endMs }) => endMs > finalMs)?.startMs ?? Infinity;
    return Math.max(finalMs, Math.min(next, breakMs));
  });
  return Math.min(...notFinal) - MARGIN_MS;
}

/** What Deepgram receives on one connection. */
class Hearing {
  readonly #reading: Reading;
  readonly #random: () => number;
  readonly #offsetMs: Millis;
  readonly #shiftMs: Millis;

  constructor(reading: Reading, random: () => number, offsetMs: Millis) {
    this.#reading = reading;
    this.#random = random;
    this.#offsetMs = offsetMs;
    this.#shiftMs = this.#shift();
  }

  finalsOf(channel: 0 | 1, spoken: readonly SpokenWord[], lengthMs: Millis): Final[] {
    const finals: Final[] = [];
    let fromMs = this.#offsetMs;
    const settle = (words: readonly SpokenWord[], endMs: Millis, speechFinal: boolean, atMs: Millis) => {
      finals.push({ channel, startMs: fromMs, endMs, speechFinal, words: this.#heard(words), atMs });
      fromMs = endMs;
    };
    const settleSilence = (untilMs: Millis) => {
      if (!this.#reading.finalizesSilence) return;
      while (untilMs - fromMs > SILENCE_MS) settle([], fromMs + SILENCE_MS, false, fromMs + SILENCE_MS + LATENCY_MS);
    };
    // A word is not recognized if its beginning is missing.
    const whole = spoken.filter(({ startMs }) => startMs >= this.#offsetMs);
    let words: SpokenWord[] = [];
    whole.forEach((word, index) => {
      if (words.length === 0) settleSilence(word.startMs);
      words.push(word);
      const pauseMs = (whole[index + 1]?.startMs ?? Infinity) - word.endMs;
      const first = words[0] as SpokenWord;
      if (pauseMs >= ENDPOINT_MS) {
        const endMs = word.endMs + Math.floor(this.#random() * ENDPOINT_MS);
        settle(words, endMs, true, word.endMs + ENDPOINT_MS + LATENCY_MS);
        words = [];
      } else if (word.endMs - first.startMs > this.#reading.longestMs) {
        settle(words, word.endMs + Math.floor(this.#random() * pauseMs), false, word.endMs + LATENCY_MS);
        words = [];
      }
    });
    settleSilence(lengthMs);
    return finals;
  }

  #shift(): Millis {
    return Math.round((this.#random() * 2 - 1) * this.#reading.shiftMs);
  }

  #letters(): string {
    return String(Math.floor(this.#random() * 1e6)).replaceAll(/\d/g, (digit) => 'qrstuvwxyz'.charAt(Number(digit)));
  }

  #heard(spoken: readonly SpokenWord[]): SpokenWord[] {
    const { misheard, isEachWordShifted, mergesNumbers } = this.#reading;
    const words = [...spoken];
    const last = words.at(-1);
    if (last && this.#random() < misheard)
      words[words.length - 1] = { ...last, text: `mis${this.#letters()}_${last.text}` };
    return (mergesNumbers ? merged(words) : words).map(({ text, startMs, endMs }) => {
      const shiftMs = isEachWordShifted ? this.#shift() : this.#shiftMs;
      const fromMs = Math.max(this.#offsetMs, startMs + shiftMs);
      return { text, startMs: fromMs, endMs: Math.max(fromMs, endMs + shiftMs) };
    });
  }
}

/** Consecutive digits are one number. */
function merged(words: readonly SpokenWord[]): SpokenWord[] {
  const numbers: SpokenWord[] = [];
  for (const word of words) {
    const last = numbers.at(-1);
    const isOne = last && /^\d+$/.test(last.text) && /^\d$/.test(word.text) && word.startMs - last.endMs < ENDPOINT_MS;
    if (isOne) numbers[numbers.length - 1] = { ...last, text: last.text + word.text, endMs: word.endMs };
    else numbers.push(word);
  }
  return numbers;
}

function messageOf({ channel, startMs, endMs, speechFinal, words }: Final, offsetMs: Millis) {
  const seconds = (ms: Millis) => (ms - offsetMs) / 1000;
  return {
    type: 'Results',
    channel_index: [channel, 2],
    start: seconds(startMs),
    duration: (endMs - startMs) / 1000,
    is_final: true,
    speech_final: speechFinal,
    channel: {
      alternatives: [
        {
          transcript: words.map(({ text }) => text).join(' '),
          confidence: words.length > 0 ? 0.99 : 0,
          words: words.map((word) => ({
            word: word.text,
            start: seconds(word.startMs),
            end: seconds(word.endMs),
            confidence: 0.99,
          })),
        },
      ],
    },
  };
}

/** What is wrong with the events of a conversation; empty if every word arrived once, in order, at its time. */
export function faultsOf({ channels, reading }: Conversation, log: RecordedEvents): string[] {
  return ([0, 1] as const).flatMap((channel) => {
    const speaker = channel === 0 ? 'CUSTOMER' : 'AGENT';
    const finals = log.finals.filter((final) => final.speaker === speaker);
    const said = channels[channel].flatMap(({ text }) => text.split(''));
    const heard = finals.flatMap(({ words }) => words.flatMap(({ text }) => text.replace(/^mis[a-z]+_/, '').split('')));
    const faults = said.join('') === heard.join('') ? [] : [`${speaker} ${difference(said.join(''), heard.join(''))}`];
    finals.forEach((final, index) => {
      const before = finals[index - 1];
      if (before && final.startMs < before.endMs) faults.push(`${speaker} ${final.startMs} overlaps ${before.endMs}`);
      const text = final.words.map((word) => word.text).join(' ');
      if (final.text !== text) faults.push(`${speaker} the text is ${final.text} and not ${text}`);
    });
    if (faults.length === 0)
      faults.push(
        ...lateWords(
          channels[channel],
          finals.flatMap(({ words }) => words),
          reading,
        ),
      );
    return faults;
  });
}

function lateWords(said: readonly SpokenWord[], heard: readonly SpokenWord[], { shiftMs, mergesNumbers }: Reading) {
  if (mergesNumbers) return [];
  return heard.flatMap((word, index) => {
    const offMs = Math.abs(word.startMs - (said[index]?.startMs ?? Infinity));
    return offMs > shiftMs + 20 ? [`${word.text} is ${offMs} ms off`] : [];
  });
}

function difference(said: string, heard: string): string {
  let at = 0;
  while (said[at] === heard[at]) at++;
  return `differs after ${at}: said …${said.slice(Math.max(0, at - 15), at + 15)}, heard …${heard.slice(Math.max(0, at - 15), at + 15)}`;
}
