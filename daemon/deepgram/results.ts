import type { Log } from '../observe/log.ts';

/** A Results message, as far as we read it (deepgram.md, "Protocol"). */
interface Results {
  readonly type: 'Results';
  readonly channel_index?: readonly number[];
  readonly start?: number;
  readonly duration?: number;
  readonly is_final?: boolean;
  readonly channel?: { readonly alternatives?: readonly { readonly transcript?: string }[] };
}

/**
 * Writes what Deepgram says to the debug log, its words included, as the original did (original.md). Without a
 * callback this is the only place they go; with one, Deepgram does not send them to us.
 */
export function logResult(log: Log): (message: unknown) => void {
  return (message) => {
    if (isResults(message)) {
      const { channel_index, start, duration, is_final, channel } = message;
      const transcript = channel?.alternatives?.[0]?.transcript;
      const fields = { channel: channel_index?.[0], start, duration, isFinal: is_final, transcript };
      log.debug({ event: 'deepgram.result', ...fields }, 'a result');
    } else {
      log.debug({ event: 'deepgram.message', type: typeOf(message) }, 'a message of Deepgram');
    }
  };
}

function isResults(message: unknown): message is Results {
  return typeOf(message) === 'Results';
}

function typeOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
}
