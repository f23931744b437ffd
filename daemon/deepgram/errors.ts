import { type HandshakeRefusal, handshakeRefusal } from '../metrics/session-metrics.ts';

/** What Deepgram means by a status, in our words (daemon/deepgram/README.md, "Protocol"). */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'a parameter is not accepted',
  401: 'the API key is not accepted',
  402: 'the account has no credit',
  403: 'the API key may not do this',
  404: 'there is no such place',
  429: 'the account has too many streams',
};

/** Deepgram answered the handshake with something else than a WebSocket. */
export class DeepgramRefused extends Error {
  override readonly name = 'DeepgramRefused';
  /** HTTP status of Deepgram's answer. */
  readonly status: number;
  /** The answer's dg-error header. */
  readonly dgError: string | undefined;
  /** The answer's dg-request-id header: what Deepgram's support asks for. */
  readonly requestId: string | undefined;
  /** Whether the same request may succeed later: too slow, too many streams, or trouble of Deepgram's own. */
  readonly retryable: boolean;

  constructor(status: number, dgError: string | undefined, requestId: string | undefined) {
    // What Deepgram says may repeat the parameters' values; a message goes to logs, they must not.
    const why = REFUSALS[status] ?? 'it has trouble of its own';
    super(`Deepgram refused the stream: ${why} (HTTP ${status}, dg-request-id ${requestId})`);
    this.status = status;
    this.dgError = dgError;
    this.requestId = requestId;
    this.retryable = status === 408 || status === 429 || status >= 500;
  }
}

/** No connection to Deepgram came about. */
export class DeepgramUnreachable extends Error {
  override readonly name = 'DeepgramUnreachable';

  constructor(host: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : String(cause);
    super(`Deepgram at ${host} cannot be reached: ${why}`, { cause });
  }
}

/** An open connection to Deepgram ended before the call did. */
export class DeepgramLost extends Error {
  override readonly name = 'DeepgramLost';
  readonly requestId: string | undefined;

  constructor(code: number, reason: string, requestId: string | undefined) {
    super(`Deepgram closed the stream: ${code} ${reason || 'no reason given'} (dg-request-id ${requestId})`);
    this.requestId = requestId;
  }
}

/** How a failed handshake is counted; undefined when the daemon itself gave it up: nobody refused it. */
export function refusalOf(error: unknown): HandshakeRefusal | undefined {
  if (error instanceof DeepgramUnreachable) return 'unreachable';
  return error instanceof DeepgramRefused ? handshakeRefusal(error.status) : undefined;
}
