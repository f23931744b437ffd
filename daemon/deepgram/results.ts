import type { Log } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import { positionOf } from './replay-buffer.ts';

/** A Results message, as far as we read it (daemon/deepgram/README.md, "Protocol"). */
interface Results {
  readonly type: 'Results';
  readonly channel_index?: readonly number[];
  readonly start?: number;
  readonly duration?: number;
  readonly is_final?: boolean;
  readonly channel?: { readonly alternatives?: readonly { readonly transcript?: string }[] };
}

/**
 * Writes what Deepgram says to the debug log, its words included, as the original did (trigger/README.md). Without a
 * callback this is the only place they go; with one, Deepgram does not send them to us.
 */
export function logResult(log: Log): (message: unknown, offsetMs: Millis) => void {
  return (message, offsetMs) => {
    if (isResults(message)) {
      const { channel_index, start, duration, is_final, channel } = message;
      const transcript = channel?.alternatives?.[0]?.transcript;
      const startInCall = offsetMs / 1000 + (start ?? 0);
      const fields = { channel: channel_index?.[0], start: startInCall, duration, isFinal: is_final, transcript };
      log.debug({ event: 'deepgram.result', ...fields }, 'a result');
    } else {
      log.debug({ event: 'deepgram.message', type: typeOf(message) }, 'a message of Deepgram');
    }
  };
}

/** Up to where in the call Deepgram has said its last word, as far as results come back to us. */
export class FinalResults {
  /** Per channel, as a position in the call. */
  readonly #reachTo: [number, number];

  /** @param start where in the call the audio begins */
  constructor(start: number) {
    this.#reachTo = [start, start];
  }

  /** What is final on both channels need not be sent again. */
  get reachTo(): number {
    return Math.min(...this.#reachTo);
  }

  /** Takes note of a message that came on a connection whose time 0 is at `startsAt`. */
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
