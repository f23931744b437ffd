import { AGENT, type Channel, CUSTOMER } from '../contract/audio-format.ts';
import { isDeepgramTime } from '../contract/deepgram-times.ts';
import type { Log } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import { positionOf } from './replay-buffer.ts';

/** Seconds in binary fractions, and sums of them, fall short of a whole ms: 0.001 + 1 is 1000.9999999999999 ms. */
const IMPRECISION_MS: Millis = 0.001;

/** The fields of a Results message that we read (daemon/deepgram/README.md, "Protocol"). */
interface Results {
  readonly type: 'Results';
  readonly channel_index?: readonly number[];
  readonly start?: number;
  readonly duration?: number;
  readonly is_final?: boolean;
  readonly channel?: { readonly alternatives?: readonly { readonly transcript?: string }[] };
}

/** An Error message, by the SDK's sources. */
interface ErrorMessage {
  readonly type: 'Error';
  readonly description?: unknown;
  readonly message?: unknown;
  readonly variant?: unknown;
}

/**
 * Logs Deepgram's messages at debug level, transcripts included, as the original did (trigger/README.md). Without a
 * callback the log is the only place where transcripts go; with one, Deepgram does not send them to us.
 */
export function logResult(log: Log): (message: unknown, offsetMs: Millis) => void {
  return (message, offsetMs) => {
    const error = errorText(message);
    if (error === undefined && !log.isDebug) return;
    if (isResults(message)) {
      const { channel_index, start, duration, is_final, channel } = message;
      const transcript = channel?.alternatives?.[0]?.transcript;
      const startInCall = offsetMs / 1000 + (start ?? 0);
      const fields = { channel: channel_index?.[0], start: startInCall, duration, isFinal: is_final, transcript };
      log.debug({ event: 'deepgram.result', ...fields }, 'result from Deepgram');
    } else if (error !== undefined) {
      log.warn({ event: 'deepgram.error', error }, 'error message from Deepgram');
    } else {
      log.debug({ event: 'deepgram.message', type: typeOf(message) }, 'message from Deepgram');
    }
  };
}

/** Follows, from the results that come back, how much of the call is final. */
export class ReceivedResults {
  /** How far the call is final, per channel, as positions in the call. */
  readonly #finalTo: [number, number];
  #count = 0;

  /** @param start where in the call the audio begins */
  constructor(start: number) {
    this.#finalTo = [start, start];
  }

  /** The position up to which both channels are final: a reconnect need not repeat what comes before. */
  get finalTo(): number {
    return Math.min(...this.#finalTo);
  }

  /** Results messages so far, empty ones too. */
  get count(): number {
    return this.#count;
  }

  /** Notes a message from a connection whose time 0 is at `startsAt`, and on which the call was sent up to `sent`. */
  note(message: unknown, startsAt: number, sent: number): void {
    if (!isResults(message)) return;
    this.#count++;
    const final = finalEnd(message, startsAt, sent);
    if (final) this.#finalTo[final.channel] = Math.max(this.#finalTo[final.channel], final.end);
  }
}

/** The channel of a final result, and where in the call it ends, at most at `sent`; undefined for other messages. */
export function finalEnd(
  message: unknown,
  startsAt: number,
  sent: number,
): { channel: Channel; end: number } | undefined {
  if (!isResults(message) || message.is_final !== true) return undefined;
  const channel = message.channel_index?.[0];
  const end = endOf(message, startsAt, sent);
  return (channel === CUSTOMER || channel === AGENT) && end !== undefined ? { channel, end } : undefined;
}

/** Where in the call a result ends, interim or final, at most at `sent`; undefined for other messages. */
export function resultEnd(message: unknown, startsAt: number, sent: number): number | undefined {
  return isResults(message) ? endOf(message, startsAt, sent) : undefined;
}

/** Deepgram's last message: everything is processed. */
export function isMetadata(message: unknown): boolean {
  return typeOf(message) === 'Metadata';
}

/** The words of an Error message; undefined for other messages. */
export function errorText(message: unknown): string | undefined {
  if (typeOf(message) !== 'Error') return undefined;
  const { description, message: text, variant } = message as ErrorMessage;
  const words = [description, text, variant].filter((each) => typeof each === 'string' && each !== '');
  return words.join(', ') || 'no reason given';
}

/** Undefined where a relay takes no result: what it does not deliver must not count as final. */
function endOf({ start, duration }: Results, startsAt: number, sent: number): number | undefined {
  const [startS, durationS] = [Number(start), Number(duration)];
  if (!isDeepgramTime(startS) || !isDeepgramTime(durationS) || durationS < 0) return undefined;
  return Math.min(startsAt + positionOf((startS + durationS) * 1000 + IMPRECISION_MS), sent);
}

function isResults(message: unknown): message is Results {
  return typeOf(message) === 'Results';
}

function typeOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
}
