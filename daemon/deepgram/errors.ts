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
    // What Deepgram says of a bad request repeats the parameters' values; a message goes to logs, they must not.
    const why = status === 400 ? 'a parameter is not accepted' : (dgError ?? 'no reason given');
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

  constructor(code: number, reason: string, requestId: string | undefined) {
    super(`Deepgram closed the stream: ${code} ${reason || 'no reason given'} (dg-request-id ${requestId})`);
  }
}
