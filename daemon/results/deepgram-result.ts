import { AGENT, type Channel, CUSTOMER } from '../contract/audio-format.ts';
import { isDeepgramTime } from '../contract/deepgram-times.ts';
import type { Word } from '../contract/events.ts';
import type { Millis } from '../runtime/clock.ts';

/** A Results message, with its times in ms of the call. */
export interface Result {
  readonly channel: Channel;
  readonly startMs: Millis;
  readonly endMs: Millis;
  readonly isFinal: boolean;
  readonly speechFinal: boolean;
  readonly text: string;
  readonly confidence: number;
  readonly words: readonly Word[];
}

/** Something that Deepgram noticed on a channel: the start of speech, or the end of an utterance. */
export interface Moment {
  readonly channel: Channel;
  readonly atMs: Millis;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a Results message of a connection whose time 0 is at `offsetMs` of the call, and on which the call was sent up to
 * `sentMs`; undefined for other messages, and for results without a time or of a channel that a call does not have.
 */
export function readResult(message: Fields, offsetMs: Millis, sentMs: Millis): Result | undefined {
  const channel = channelOf(message['channel_index']);
  const startS = Number(message['start']);
  const durationS = Number(message['duration']);
  if (channel === undefined || !isDeepgramTime(startS) || !(durationS >= 0 && isDeepgramTime(durationS)))
    return undefined;
  const alternatives = fieldsOf(message['channel'])['alternatives'];
  const best = fieldsOf(Array.isArray(alternatives) ? alternatives[0] : undefined);
  const inCall = (seconds: number) => callMs(seconds, offsetMs, sentMs);
  const startMs = inCall(startS);
  const endMs = Math.max(startMs, inCall(startS + durationS));
  const text = typeof best['transcript'] === 'string' ? best['transcript'].trim() : '';
  const confidence = share(best['confidence']);
  const words = wordsIn(best['words'], inCall);
  return {
    channel,
    startMs,
    endMs,
    isFinal: message['is_final'] === true,
    speechFinal: message['speech_final'] === true,
    text: text || words.map((word) => word.text).join(' '),
    confidence,
    words: words.length > 0 || text === '' ? words : [{ text, startMs, endMs, confidence }],
  };
}

/** Reads the time of a SpeechStarted (`timestamp`) or UtteranceEnd (`last_word_end`) message. */
export function readMoment(message: Fields, field: string, offsetMs: Millis, sentMs: Millis): Moment | undefined {
  const channel = channelOf(message['channel']);
  const atS = message[field];
  // Deepgram writes -1 where there was no word.
  if (channel === undefined || !isDeepgramTime(atS) || atS < 0) return undefined;
  return { channel, atMs: callMs(atS, offsetMs, sentMs) };
}

function wordsIn(list: unknown, inCall: (seconds: number) => Millis): Word[] {
  const words: Word[] = [];
  if (!Array.isArray(list)) return words;
  for (const each of list) {
    const { punctuated_word, word, start, end, confidence } = fieldsOf(each);
    const text = typeof punctuated_word === 'string' && punctuated_word !== '' ? punctuated_word : word;
    if (typeof text !== 'string' || text === '' || !isDeepgramTime(start) || !isDeepgramTime(end)) continue;
    const startMs = inCall(start);
    words.push({ text, startMs, endMs: Math.max(startMs, inCall(end)), confidence: share(confidence) });
  }
  return words;
}

function channelOf(index: unknown): Channel | undefined {
  const channel: unknown = Array.isArray(index) ? index[0] : undefined;
  return channel === CUSTOMER || channel === AGENT ? channel : undefined;
}

function callMs(seconds: number, offsetMs: Millis, sentMs: Millis): Millis {
  return Math.max(0, Math.round(Math.min(offsetMs + seconds * 1000, sentMs)));
}

function share(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? Math.min(1, value) : 0;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
