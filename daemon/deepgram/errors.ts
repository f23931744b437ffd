import { type HandshakeRefusal, handshakeRefusal } from '../metrics/session-metrics.ts';

/** What each status means (daemon/deepgram/README.md, "Protocol"). */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'invalid parameter',
  401: 'invalid API key',
  402: 'no credit',
  403: 'the API key lacks permission',
  404: 'no such path',
  429: 'too many concurrent streams',
};

/** Deepgram answered the handshake with an HTTP error. */
export class DeepgramRefused extends Error {
  override readonly name = 'DeepgramRefused';
  /** HTTP status of the response. */
  readonly status: number;
  /** The response's dg-error header; may quote parameter values, so it is not logged. */
  readonly dgError: string | undefined;
  /** The response's dg-request-id header: Deepgram's support asks for it. */
  readonly requestId: string | undefined;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;

  constructor(status: number, dgError: string | undefined, requestId: string | undefined) {
    // Without dg-error: the message is logged.
    const why = REFUSALS[status] ?? (status >= 500 ? 'server error' : 'unexpected response');
    super(`Deepgram refused the stream: ${why} (HTTP ${status}, dg-request-id ${requestId})`);
    this.status = status;
    this.dgError = dgError;
    this.requestId = requestId;
    this.retryable = status === 408 || status === 429 || status >= 500;
  }
}

/** The connection to Deepgram failed before the handshake's response. */
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

/** How a failed handshake is counted; undefined if the daemon itself aborted it. */
export function refusalOf(error: unknown): HandshakeRefusal | undefined {
  if (error instanceof DeepgramUnreachable) return 'unreachable';
  return error instanceof DeepgramRefused ? handshakeRefusal(error.status) : undefined;
}
