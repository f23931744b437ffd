/**
 * Whether a refusal ends a running call (daemon/kinesis/README.md, "Calls"): `final` at once, `denied` when it lasts.
 * Everything else is retried, also errors that are not known yet.
 */
type MidCall = 'final' | 'denied' | 'retry';

/** Kinesis Video refused to open the stream, or ended it with an error. */
export class KinesisRefused extends Error {
  override readonly name = 'KinesisRefused';
  /** The error's name at AWS, such as ResourceNotFoundException, or Node's code, such as ECONNREFUSED. */
  readonly awsName: string;
  /** The HTTP status of our response to a start (daemon/README.md, "What must happen when"). */
  readonly status: 400 | 404 | 502 | 503;
  /** Whether the same start may succeed later. */
  readonly retryable: boolean;
  /** Whether the stream no longer has the requested fragment; another position may work. */
  readonly isFragmentGone: boolean;
  /** Whether this daemon had no credentials, so that no request was sent. */
  readonly lacksCredentials: boolean;
  /** Whether no response came: the network's error, or a time-out. */
  readonly isUnreachable: boolean;
  /** What it means for a running call. */
  readonly midCall: MidCall;
  /** Whether Kinesis rejects the place to begin at; another way to name the same place may work. */
  readonly isOfPosition: boolean;
  /** AWS Support asks for it. */
  readonly requestId: string | undefined;

  constructor(awsName: string, message: string, cause: unknown) {
    super(message, { cause });
    this.awsName = awsName;
    this.midCall = MID_CALL.get(awsName) ?? 'retry';
    this.isOfPosition =
      awsName === FRAGMENT_GONE || (metadataOf(cause)?.httpStatusCode === 400 && !OTHER_400.test(awsName));
    this.status = STATUS_OF.get(awsName) ?? (isTransient(awsName, cause) ? 503 : 502);
    this.isFragmentGone = awsName === FRAGMENT_GONE;
    this.isUnreachable = OF_NETWORK.test(awsName) && metadataOf(cause)?.httpStatusCode === undefined;
    this.lacksCredentials = awsName === NO_CREDENTIALS;
    this.retryable = this.status === 503 || this.isFragmentGone;
    this.requestId = metadataOf(cause)?.requestId;
  }
}

const FRAGMENT_GONE = 'FragmentGone';
/** The SDK found no credentials, or could not refresh them: the metadata service or a role's trust may come back. */
const NO_CREDENTIALS = 'CredentialsProviderError';
const KMS_KEY_UNUSABLE = 'KmsKeyUnusable';
const KMS_ACCESS_DENIED = 'KmsAccessDenied';
/** 3000 with the text FRAGMENT_NOT_FOUND was recorded too (voicemail-express#46). */
const FRAGMENT_GONE_IDS: ReadonlySet<string> = new Set(['3000', '4000']);
/** The key is disabled, invalid, of the wrong kind, in the wrong state, or deleted. 4503, unavailable, may pass. */
const KMS_KEY_UNUSABLE_IDS: ReadonlySet<string> = new Set(['4501', '4502', '4504', '4505', '4506']);
const KMS_ACCESS_DENIED_ID = '4500';
const STATUS_OF: ReadonlyMap<string, 400 | 404 | 502 | 503> = new Map([
  ['ResourceNotFoundException', 404],
  ['InvalidArgumentException', 400],
  ['NotAuthorizedException', 502],
  ['AccessDeniedException', 502],
  ['ClientLimitExceededException', 503],
  ['ConnectionLimitExceededException', 503],
  ['InvalidEndpointException', 503],
  ['ThrottlingException', 503],
  ['InternalStreamError', 503],
  [NO_CREDENTIALS, 503],
]);
const MID_CALL: ReadonlyMap<string, MidCall> = new Map([
  ['ResourceNotFoundException', 'final'],
  [KMS_KEY_UNUSABLE, 'final'],
  [KMS_ACCESS_DENIED, 'denied'],
  ['NotAuthorizedException', 'denied'],
  ['AccessDeniedException', 'denied'],
]);
/** Answers with HTTP 400 that say nothing about the place to begin at. */
const OTHER_400 =
  /LimitExceeded|Throttl|Endpoint|ClientToken|SecurityToken|Signature|Expired|Skewed|NotAuthorized|AccessDenied/;

/** Node's codes, and the names of a request that was given up. */
const OF_NETWORK = /^E[A-Z_]+$|^(Timeout|Abort)Error$/;

/** Errors of the network and of the service itself are transient; AWS would repeat any other one. */
function isTransient(awsName: string, cause: unknown): boolean {
  if (/^E[A-Z]|Timeout|Abort|Throttl|LimitExceeded/.test(awsName)) return true;
  return (metadataOf(cause)?.httpStatusCode ?? 0) >= 500;
}

/** What the SDK knows of the response that caused an error. */
function metadataOf(cause: unknown): { httpStatusCode?: number; requestId?: string } | undefined {
  return (cause as { $metadata?: object } | undefined)?.$metadata;
}

/**
 * An error that the stream reports in its body: AWS_KINESISVIDEO_ERROR_ID and its text (daemon/kinesis/README.md). Where
 * one of them is missing, the other one may be either.
 */
export function refusalInStream(errorId: string, text: string, streamArn: string): KinesisRefused {
  const error = [errorId, text].filter(Boolean).join(' ');
  const message = `Kinesis Video ended the stream of ${streamArn}: error ${error}`;
  return new KinesisRefused(nameInStream(errorId || text, text || errorId), message, undefined);
}

/** A response with HTTP 200 whose body is not Matroska: something in between has answered, and the call may go on. */
export function notMatroska(): KinesisRefused {
  const message = 'GetMedia answered with something else than Matroska, as a proxy does that cannot reach the service';
  return new KinesisRefused('NotAStream', message, undefined);
}

function nameInStream(errorId: string, text: string): string {
  if (FRAGMENT_GONE_IDS.has(errorId) || /FRAGMENT_?NOT_?FOUND/i.test(text)) return FRAGMENT_GONE;
  if (KMS_KEY_UNUSABLE_IDS.has(errorId)) return KMS_KEY_UNUSABLE;
  return errorId === KMS_ACCESS_DENIED_ID ? KMS_ACCESS_DENIED : 'InternalStreamError';
}

/** Whatever a request for the stream threw, as a KinesisRefused. */
export function kinesisRefusal(cause: unknown, streamArn: string): KinesisRefused {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  // A DOMException's code is a number that says less than its name.
  const { code } = error as NodeJS.ErrnoException;
  const awsName = typeof code === 'string' ? code : error.name;
  return new KinesisRefused(awsName, `Kinesis Video refused ${streamArn}: ${awsName}: ${error.message}`, error);
}
