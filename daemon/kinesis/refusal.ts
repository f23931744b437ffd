/** Kinesis Video did not give us the stream. */
export class KinesisRefused extends Error {
  override readonly name = 'KinesisRefused';
  /** AWS' name of the error, such as ResourceNotFoundException, or the network's, such as ECONNREFUSED. */
  readonly awsName: string;
  /** The HTTP status that a start answers with (design.md, "What must happen when"). */
  readonly status: 400 | 404 | 502 | 503;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;

  constructor(awsName: string, message: string, cause: unknown) {
    super(message, { cause });
    this.awsName = awsName;
    this.status = STATUS_OF.get(awsName) ?? (isPassing(awsName, cause) ? 503 : 502);
    this.retryable = this.status === 503;
  }
}

const STATUS_OF: ReadonlyMap<string, 400 | 404 | 502 | 503> = new Map([
  ['ResourceNotFoundException', 404],
  ['InvalidArgumentException', 400],
  ['NotAuthorizedException', 502],
  ['AccessDeniedException', 502],
  ['ClientLimitExceededException', 503],
  ['ConnectionLimitExceededException', 503],
  ['InvalidEndpointException', 503],
  ['ThrottlingException', 503],
]);

/** Errors of the network and of the service itself pass; the rest of AWS' errors would only come again. */
function isPassing(awsName: string, cause: unknown): boolean {
  if (/^E[A-Z]|Timeout|Abort|Throttl|LimitExceeded/.test(awsName)) return true;
  const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status !== undefined && status >= 500;
}

/** What went wrong when asking for the stream, as a KinesisRefused. */
export function kinesisRefusal(cause: unknown, streamArn: string): KinesisRefused {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const awsName = (error as NodeJS.ErrnoException).code ?? error.name;
  return new KinesisRefused(awsName, `Kinesis Video refused ${streamArn}: ${awsName}: ${error.message}`, error);
}
