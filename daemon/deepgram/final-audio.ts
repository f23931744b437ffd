import { AGENT, type Channel, CUSTOMER } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import { momentOf, positionOf } from './replay-buffer.ts';
import { SpeechLevels } from './speech-levels.ts';

/**
 * A new connection begins this much before what is not final, so that its first words can be recognized
 * (daemon/results/README.md).
 */
const MARGIN_BYTES = positionOf(2000);
/** It may begin this much earlier, if there is a pause. */
const PAUSE_BYTES = positionOf(1000);
/** What is kept of the audio that is final. */
export const KEPT_BEFORE_FINAL_BYTES = MARGIN_BYTES + PAUSE_BYTES;
/**
 * Kinesis keeps the audio of a stream without retention for about five minutes after it was spoken. A final that has not
 * come by then, counted from when a Deepgram in real time would have heard the speech, does not come.
 */
const ANSWERED_WITHIN_BYTES = positionOf(300_000);
/** Speech without results is reported in pieces of this length. */
const WITHOUT_RESULTS_BYTES = positionOf(30_000);
/** Less loud audio is no word: the last finals may end a little before the audio does, and hanging up is loud. */
const SHORTEST_WORD_MS: Millis = 300;

/**
 * A resume point counts audio as final this much later, in our time, however fast the call is read: a process that dies
 * may not have written its latest events.
 */
const SETTLED_AFTER_MS: Millis = 2000;

/**
 * Why speech has no final: Deepgram had it for five minutes, or said that it has finished, and gave none; or a connection
 * was lost when more of it was waiting for its final than is kept here.
 */
export type MissingCause = 'no-results' | 'unfinished';

/** A part of the call on one channel. */
export interface ChannelPart {
  readonly channel: Channel;
  readonly fromMs: Millis;
  readonly toMs: Millis;
}

type OnMissing = (cause: MissingCause, part: ChannelPart) => void;

/**
 * Up to where each channel of a call is final, where results come back and every word counts. A channel that has been
 * silent since its last final is final up to there. Positions are bytes of the call.
 */
export class FinalAudio {
  readonly #levels: SpeechLevels;
  readonly #finalTo: [number, number];
  readonly #onMissing: OnMissing;
  readonly #start: number;
  #forgottenTo: number;
  /** What was needed at `#notedAtMs`, and what had been needed for SETTLED_AFTER_MS then. */
  #nextSafeTo: number;
  #safeTo: number;
  #notedAtMs: Millis = -Infinity;

  /**
   * @param start where in the call the audio begins
   * @param onMissing called with speech that has no final and can no longer be repeated
   */
  constructor(start: number, onMissing: OnMissing) {
    this.#levels = new SpeechLevels(start);
    this.#finalTo = [start, start];
    this.#onMissing = onMissing;
    this.#start = start;
    this.#forgottenTo = start;
    this.#safeTo = start;
    this.#nextSafeTo = start;
  }

  /** The position up to which both channels are final. */
  get finalTo(): number {
    return Math.min(this.#finalTo[CUSTOMER], this.#finalTo[AGENT]);
  }

  /** What comes before need not be repeated by any connection. */
  get neededFrom(): number {
    return Math.max(this.#start, this.finalTo - KEPT_BEFORE_FINAL_BYTES);
  }

  /** Another process can continue from here without loss. */
  get safeTo(): number {
    return this.#safeTo;
  }

  /** Where the next connection begins: in a pause if there is one. */
  get beginning(): number {
    const latest = Math.max(this.#start, this.finalTo - MARGIN_BYTES);
    const pause = this.#levels.pauseWithin(latest - PAUSE_BYTES, latest);
    return positionOf(momentOf(pause ?? latest));
  }

  /** What has been sent and is not final, per channel. */
  notFinal(sent: number): ChannelPart[] {
    return ([CUSTOMER, AGENT] as const).flatMap((channel) => {
      const from = this.#finalTo[channel];
      return from < sent ? [{ channel, fromMs: Math.ceil(momentOf(from)), toMs: Math.floor(momentOf(sent)) }] : [];
    });
  }

  /** Takes the next audio of the call. */
  add(frames: Int32Array): void {
    this.#levels.add(frames);
  }

  /** A final result of a channel ends here. */
  finalized(channel: Channel, position: number): void {
    if (position > this.#finalTo[channel]) this.#finalTo[channel] = position;
  }

  /**
   * Passes over silence, up to `sent`, and speech that Deepgram does not answer.
   * @param heardTo how far Deepgram has heard the call if it only keeps up with real time: a backlog is sent in seconds,
   *   and answered for minutes
   */
  settle(sent: number, heardTo: number, nowMs: Millis): void {
    this.#settleChannel(CUSTOMER, sent, heardTo);
    this.#settleChannel(AGENT, sent, heardTo);
    const { neededFrom } = this;
    if (nowMs - this.#notedAtMs >= SETTLED_AFTER_MS) {
      this.#notedAtMs = nowMs;
      this.#safeTo = this.#nextSafeTo;
      this.#nextSafeTo = neededFrom;
    }
    // Not with every message: a second more does not count.
    if (neededFrom - this.#forgottenTo < PAUSE_BYTES) return;
    this.#forgottenTo = neededFrom;
    this.#levels.forget(neededFrom);
  }

  /** Deepgram has sent its last result: speech up to `sent` that has no final gets none. */
  conclude(sent: number): void {
    for (const channel of [CUSTOMER, AGENT] as const) {
      for (let from = this.#speechFrom(channel, sent); from < sent; from = this.#speechFrom(channel, sent)) {
        const to = Math.min(sent, from + WITHOUT_RESULTS_BYTES);
        this.#finalTo[channel] = from;
        if (this.#levels.loudMs(channel, from, to) >= SHORTEST_WORD_MS) this.#giveUp('no-results', channel, to);
        else this.#finalTo[channel] = to;
      }
    }
  }

  /** What comes before a position is not kept: a new connection cannot repeat it. */
  passOver(position: number): void {
    if (this.#finalTo[CUSTOMER] < position) this.#giveUp('unfinished', CUSTOMER, position);
    if (this.#finalTo[AGENT] < position) this.#giveUp('unfinished', AGENT, position);
  }

  #giveUp(cause: MissingCause, channel: Channel, to: number): void {
    const part = { channel, fromMs: Math.ceil(momentOf(this.#finalTo[channel])), toMs: Math.floor(momentOf(to)) };
    this.#finalTo[channel] = to;
    this.#onMissing(cause, part);
  }

  /** Where speech without a final begins. */
  #speechFrom(channel: Channel, sent: number): number {
    return Math.min(sent, this.#levels.speechFrom(channel, this.#finalTo[channel]));
  }

  #settleChannel(channel: Channel, sent: number, heardTo: number): void {
    const from = this.#finalTo[channel];
    if (from >= sent) return;
    const to = this.#speechFrom(channel, sent);
    if (to > from) this.#finalTo[channel] = to;
    if (heardTo - to <= ANSWERED_WITHIN_BYTES + WITHOUT_RESULTS_BYTES) return;
    this.#giveUp('no-results', channel, to + WITHOUT_RESULTS_BYTES);
  }
}
