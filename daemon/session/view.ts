import type { DeepgramParams } from '../contract/deepgram-params.ts';
import type { TraceId } from '../contract/traceparent.ts';
import type { LinkStats } from '../deepgram/link.ts';
import type { EndOfContact } from '../kinesis/reader.ts';
import type { Millis } from '../runtime/clock.ts';

export type SessionState = 'running' | 'ending' | 'ended';

/** How a session ended: `completed` when the call was over and Deepgram had all of it. */
export type Outcome =
  | { readonly name: 'completed'; readonly reason: EndOfContact }
  | { readonly name: 'failed'; readonly error: unknown };

/** A session as operators see it; no secret is in it. */
export interface SessionView extends Omit<LinkStats, 'requestIds'> {
  readonly sessionId: string;
  readonly contactId: string;
  /** What the log of the trigger and of the daemon have in common about this start. */
  readonly traceId: TraceId;
  readonly state: SessionState;
  readonly ageMs: Millis;
  /** Audio that could not be had. */
  readonly holeMs: Millis;
  readonly reconnects: number;
  readonly deepgramRequestIds: readonly string[];
  readonly model: string | undefined;
  /** Host of the callback URL, without path and credentials. */
  readonly callbackHost: string | undefined;
}

/** What a session's parameters tell of it in a list. */
export function describedBy(params: DeepgramParams): Pick<SessionView, 'model' | 'callbackHost'> {
  return {
    model: firstOf(params['model']),
    callbackHost: URL.parse(firstOf(params['callback']) ?? '')?.host,
  };
}

function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
