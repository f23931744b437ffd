import { type HandshakeRefusal, handshakeRefusal } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';

/** What each status means (daemon/deepgram/README.md, "Protocol"). */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'invalid parameter',
  401: 'invalid API key',
  402: 'no credit',
  403: 'the API key lacks permission',
  404: 'no such path',
  414: 'the parameters may be too long',
  429: 'too many concurrent streams',
  431: 'the parameters may be too long',
};

/** The refusals that a later attempt does not change, if they are Deepgram's own. */
const FINAL: ReadonlySet<number> = new Set([401, 402, 403]);

interface RefusalDetails {
  /** The body is not Deepgram's: a page or words of a proxy, or of a load balancer. */
  readonly isForeign?: boolean;
  /** What the Retry-After header asks for. */
  readonly retryAfterMs?: Millis | undefined;
}

/** Deepgram, or something on the way to it, answered the handshake with another status than 101. */
export class DeepgramRefused extends Error {
  override readonly name = 'DeepgramRefused';
  /** HTTP status of the response. */
  readonly status: number;
  /** The response's dg-error header, or the error in its body; may quote parameter values, so it is not logged. */
  readonly dgError: string | undefined;
  /** The response's dg-request-id header: Deepgram's support asks for it. */
  readonly requestId: string | undefined;
  /**
   * Whether the same request may succeed later. Only Deepgram's own 400, 401, 402 and 403 are final: anything else may
   * come from an ingress or a load balancer for a moment (daemon/deepgram/README.md, "What real lines do").
   */
  readonly retryable: boolean;
  readonly retryAfterMs: Millis | undefined;

  constructor(
    status: number,
    dgError: string | undefined,
    requestId: string | undefined,
    { isForeign = false, retryAfterMs }: RefusalDetails = {},
  ) {
    // Without dg-error: the message is logged.
    const why = REFUSALS[status] ?? (status >= 500 ? 'server error' : 'unexpected response');
    super(`Deepgram refused the stream: ${why} (HTTP ${status}, dg-request-id ${requestId})`);
    this.status = status;
    this.dgError = dgError;
    this.requestId = requestId;
    const isFinal = status === 400 ? dgError !== undefined : FINAL.has(status) && !isForeign;
    this.retryable = !isFinal;
    this.retryAfterMs = retryAfterMs;
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
