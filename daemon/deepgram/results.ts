import type { Log } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import { positionOf } from './replay-buffer.ts';

/** The fields of a Results message that we read (daemon/deepgram/README.md, "Protocol"). */
interface Results {
  readonly type: 'Results';
  readonly channel_index?: readonly number[];
  readonly start?: number;
  readonly duration?: number;
  readonly is_final?: boolean;
  readonly channel?: { readonly alternatives?: readonly { readonly transcript?: string }[] };
}

/**
 * Logs Deepgram's messages at debug level, transcripts included, as the original did (trigger/README.md). Without a
 * callback the log is the only place where transcripts go; with one, Deepgram does not send them to us.
 */
export function logResult(log: Log): (message: unknown, offsetMs: Millis) => void {
  return (message, offsetMs) => {
    if (isResults(message)) {
      const { channel_index, start, duration, is_final, channel } = message;
      const transcript = channel?.alternatives?.[0]?.transcript;
      const startInCall = offsetMs / 1000 + (start ?? 0);
      const fields = { channel: channel_index?.[0], start: startInCall, duration, isFinal: is_final, transcript };
      log.debug({ event: 'deepgram.result', ...fields }, 'result from Deepgram');
    } else {
      log.debug({ event: 'deepgram.message', type: typeOf(message) }, 'message from Deepgram');
    }
  };
}

/** How much of the call is final, by the results that come back to us. */
export class FinalResults {
  /** Per channel, as a position in the call. */
  readonly #reachTo: [number, number];

  /** @param start where in the call the audio begins */
  constructor(start: number) {
    this.#reachTo = [start, start];
  }

  /** The position up to which both channels are final: a reconnect need not repeat what comes before. */
  get reachTo(): number {
    return Math.min(...this.#reachTo);
  }

  /** Notes a message from a connection whose time 0 is at `startsAt`. */
  note(message: unknown, startsAt: number): void {
    if (!isResults(message) || message.is_final !== true) return;
    const channel = message.channel_index?.[0];
    const endS = Number(message.start) + Number(message.duration);
    if ((channel !== 0 && channel !== 1) || !Number.isFinite(endS)) return;
    this.#reachTo[channel] = Math.max(this.#reachTo[channel], startsAt + positionOf(endS * 1000));
  }
}

function isResults(message: unknown): message is Results {
  return typeOf(message) === 'Results';
}

function typeOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
}
