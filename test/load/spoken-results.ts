import { AGENT, type Channel, CUSTOMER, SAMPLE_RATE_HZ } from '../../daemon/contract/audio-format.ts';
import { type MessageContext, resultsMessage } from '../simulators/deepgram/messages.ts';
import { monotonicMs, ticksOf } from './monotonic.ts';
import { FINAL_EVERY_MS, finalShiftMs, INTERIM_EVERY_MS, wordIndexAt, wordsBetween } from './words.ts';

const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;
/** The `extra` of a message that says when it was sent, as of `ticksOf`: events contain it. */
export const SENT_AT = 'load_sent_at';

/** What Deepgram has returned for a call. */
export interface SpokenFigures {
  /** Final results with words. */
  finals: number;
  interims: number;
  /** Words of final results per channel: the first ones of the call, each once over all connections. */
  words: [number, number];
}

/** One connection's results: a final one per channel every 4 s, with all words of that time, and interims if asked for. */
export class SpokenResults {
  readonly #call: number;
  readonly #context: MessageContext;
  /** Where the connection begins in the call. */
  readonly #offsetMs: number;
  readonly #figures: SpokenFigures;
  readonly #send: (message: object) => void;
  /** Up to where each channel is final, and when it has its next result. */
  readonly #finalMs: [number, number];
  readonly #nextMs: [number, number];

  /** @param figures of all connections of the call */
  constructor(
    call: number,
    offsetMs: number,
    context: MessageContext,
    figures: SpokenFigures,
    send: (message: object) => void,
  ) {
    this.#call = call;
    this.#offsetMs = offsetMs;
    this.#context = context;
    this.#figures = figures;
    this.#send = send;
    this.#finalMs = [offsetMs, offsetMs];
    this.#nextMs = [this.#nextAfter(CUSTOMER, offsetMs), this.#nextAfter(AGENT, offsetMs)];
  }

  /** Sends the results of the audio up to this time of the call. */
  reached(ms: number): void {
    this.#channelReached(CUSTOMER, ms);
    this.#channelReached(AGENT, ms);
  }

  /** Sends the last results: no more audio follows. */
  finish(ms: number): void {
    this.reached(ms);
    for (const channel of [CUSTOMER, AGENT] as const) this.#result(channel, ms, true);
  }

  #channelReached(channel: Channel, ms: number): void {
    for (let atMs = this.#nextMs[channel]; atMs <= ms; atMs = this.#nextMs[channel]) {
      this.#result(channel, atMs, this.#isFinalAt(channel, atMs));
      this.#nextMs[channel] = this.#nextAfter(channel, atMs);
    }
  }

  #nextAfter(channel: Channel, ms: number): number {
    const everyMs = this.#context.params.interimResults ? INTERIM_EVERY_MS : FINAL_EVERY_MS;
    const shiftMs = finalShiftMs(this.#call, channel) % everyMs;
    return (Math.floor((ms - shiftMs) / everyMs) + 1) * everyMs + shiftMs;
  }

  #isFinalAt(channel: Channel, ms: number): boolean {
    return (ms - finalShiftMs(this.#call, channel)) % FINAL_EVERY_MS === 0;
  }

  #result(channel: Channel, toMs: number, isFinal: boolean): void {
    const fromMs = this.#finalMs[channel];
    const words = wordsBetween(this.#call, channel, fromMs, toMs);
    if (words.length === 0 && !isFinal) return;
    const offset = this.#offsetMs * SAMPLES_PER_MS;
    const { params } = this.#context;
    const extra = { ...params.extra, [SENT_AT]: String(ticksOf(monotonicMs())) };
    const message = resultsMessage({ ...this.#context, params: { ...params, extra } }, channel, {
      startSample: fromMs * SAMPLES_PER_MS - offset,
      endSample: toMs * SAMPLES_PER_MS - offset,
      words: words.map((word) => ({
        ...word,
        startSample: word.startSample - offset,
        endSample: word.endSample - offset,
      })),
      isFinal,
      speechFinal: isFinal,
      fromFinalize: false,
    });
    this.#send(message);
    if (isFinal) this.#noteFinal(channel, fromMs, toMs, words.length);
    else this.#figures.interims++;
  }

  #noteFinal(channel: Channel, fromMs: number, toMs: number, words: number): void {
    this.#finalMs[channel] = toMs;
    if (words === 0) return;
    this.#figures.finals++;
    this.#figures.words[channel] = Math.max(this.#figures.words[channel], wordIndexAt(fromMs) + words);
  }
}
