import type { Millis } from '../runtime/clock.ts';

/** Fields of Deepgram's messages that are moments, in seconds of the connection (daemon/deepgram/README.md). */
const MOMENTS: ReadonlySet<string> = new Set(['start', 'end', 'timestamp', 'last_word_end']);
/** Has no moments, and our `extra` of the caller's choice in it. */
const METADATA = 'metadata';

/** Deepgram's message with its moments moved to the call's; a message of the first connection is returned as it is. */
export function rebased<Message extends Readonly<Record<string, unknown>>>(
  message: Message,
  offsetMs: Millis,
): Message {
  return offsetMs === 0 ? message : (moved(message, offsetMs) as Message);
}

function moved(value: unknown, offsetMs: Millis): unknown {
  if (Array.isArray(value)) return value.map((each) => moved(each, offsetMs));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => {
    if (name === METADATA) return [name, field] as const;
    // -1 says that there is no such moment.
    if (typeof field === 'number' && field >= 0 && MOMENTS.has(name)) return [name, inCall(field, offsetMs)] as const;
    return [name, moved(field, offsetMs)] as const;
  });
  return Object.fromEntries(fields);
}

/** Without the noise of binary fractions: Deepgram's times have at most six digits. */
function inCall(seconds: number, offsetMs: Millis): number {
  return Math.round((seconds + offsetMs / 1000) * 1e6) / 1e6;
}
