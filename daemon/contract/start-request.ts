import { z } from 'zod';
import { asksForFlux, type DeepgramParams, lockedParamIn } from './deepgram-params.ts';
import { isoTimestamp } from './iso-timestamp.ts';

/** The start request itself is at fault: a retry would be refused too. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
  /** Machine-readable: `bad-request`, `wrong-stream`, `locked-parameter`, `bad-webhook` or `two-destinations`. */
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Far above what a contact flow can set (32 KB of attributes in total), far below what could do harm. */
const MAX_PARAMS = 200;
const MAX_PARAM_VALUES = 500;
const MAX_VALUE_LENGTH = 8192;

const PARAM_NAME_RULE = 'is not the name of a parameter, which has up to 128 letters, digits, "_", "." or "-"';
const paramName = z.string().regex(/^(?!__proto__$)[\w.-]{1,128}$/);
const paramValues = z
  .union([z.string(), z.array(z.string())], 'must be a string or a non-empty array of strings')
  .superRefine((values, context) => {
    const message = valuesFault([values].flat());
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** What Connect knows about a contact. Each is optional, and none is a phone number. */
const CONTACT_FACTS = [
  'initialContactId',
  'previousContactId',
  'instanceArn',
  'channel',
  'initiationMethod',
  'queueArn',
  'queueName',
] as const;
export type ContactFacts = { readonly [Fact in (typeof CONTACT_FACTS)[number]]?: string | undefined };

/** The body of POST /start-session (trigger/README.md, "Integrator"). */
export interface StartRequest {
  readonly contactId: string;
  readonly kvsStream: {
    readonly arn: string;
    readonly startFragmentNumber: string;
    /** When streaming began, in ISO 8601; the original's trigger does not send it. */
    readonly startTimestamp?: string | undefined;
  };
  readonly dgParams: DeepgramParams;
  readonly enforceRealtime: boolean;
  /** The original's trigger does not send it. */
  readonly contact?: ContactFacts | undefined;
  /** Where the call's events go (daemon/results/README.md); the original's trigger does not send it. */
  readonly results?: RequestedResults | undefined;
}

export interface RequestedResults {
  /** An https URL; null for none, not even the daemon's default. Undefined leaves it to the daemon. */
  readonly webhook?: string | null | undefined;
}

const kvsStream = {
  arn: z.string().max(1024),
  startFragmentNumber: z.string().regex(/^\d{1,128}$/, 'must be a fragment number: digits'),
  startTimestamp: z.optional(z.union([z.string(), z.number()]).transform(isoTimestamp)),
};
const contactFact = z.string().max(1024).optional();
const contact = Object.fromEntries(CONTACT_FACTS.map((fact) => [fact, contactFact])) as Record<
  (typeof CONTACT_FACTS)[number],
  typeof contactFact
>;
const webhook = z.string().max(2048).refine(isHttpUrl, 'must be an https URL').nullable().optional();
const original = {
  contactId: z.string().regex(/^[\w.:-]{1,256}$/, 'must be a contact id: letters, digits, "-", "_", "." or ":"'),
  dgParams: z
    .record(paramName, paramValues)
    .refine((params) => Object.keys(params).length <= MAX_PARAMS, `must have at most ${MAX_PARAMS} parameters`)
    .transform(withPlainCallback),
  enforceRealtime: z.boolean(),
};

/** As strict as the original: its fields are required, and other fields are rejected, except our optional ones. */
const startRequest: z.ZodType<StartRequest> = z.strictObject({
  ...original,
  kvsStream: z.strictObject(kvsStream),
  contact: z.strictObject(contact).optional(),
  results: z.strictObject({ webhook }).optional(),
});

/** What a start request may say about its contact, as it is passed on to consumers. */
export const contactFacts = z.object(contact);

/** A start request that another version of the daemon may have stored: drops what this one does not know. */
export const storedStartRequest: z.ZodType<StartRequest> = z.object({
  ...original,
  kvsStream: z.object(kvsStream),
  contact: z.object(contact).optional().catch(undefined),
  results: z.object({ webhook }).optional().catch(undefined),
});

const STREAM_ARN = /^arn:aws[\w-]*:kinesisvideo:(?<region>[a-z0-9-]+):\d{12}:stream\/[\w.-]{1,256}\/\d+$/;

/** Parses and checks the body of a start request to a daemon in `region`. Throws BadRequest. */
export function parseStartRequest(body: string, region: string): StartRequest {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    throw new BadRequest('bad-request', `The body is not JSON: ${(error as Error).name}`);
  }
  const { data: request, error } = startRequest.safeParse(json);
  if (!request) throw new BadRequest('bad-request', `The body is not a start request: ${faultsOf(error)}`);
  const arnRegion = STREAM_ARN.exec(request.kvsStream.arn)?.groups?.['region'];
  if (!arnRegion) {
    throw new BadRequest(
      'wrong-stream',
      `kvsStream.arn is not the ARN of a Kinesis video stream: ${request.kvsStream.arn}`,
    );
  }
  if (arnRegion !== region) {
    throw new BadRequest('wrong-stream', `kvsStream.arn is in ${arnRegion}, this daemon in ${region}`);
  }
  const { callback } = request.dgParams;
  if (Array.isArray(callback)) throw new BadRequest('bad-request', 'dgParams.callback must be one URL, not several');
  if (request.results?.webhook && callback !== undefined) {
    throw new BadRequest(
      'two-destinations',
      'Results go to one place: set either dg_callback or dgintegrator_webhook in the contact flow, or one of them to UNSET',
    );
  }
  const locked = lockedParamIn(request.dgParams);
  if (locked) {
    throw new BadRequest(
      'locked-parameter',
      `${locked} is set by integratord: remove dg_${locked} from the contact flow`,
    );
  }
  if (asksForFlux(request.dgParams)) {
    throw new BadRequest(
      'bad-request',
      'Flux models take one channel and no callback, on /v2/listen only; a call has two channels: set dg_model to a Nova model',
    );
  }
  return request;
}

/** In one line: a contact flow gets it as `$.External.reason`. */
function faultsOf({ issues }: z.ZodError): string {
  const faults = issues.map(({ code, path, message }) => {
    const fault = code === 'invalid_key' ? PARAM_NAME_RULE : message;
    return path.length === 0 ? fault : `${z.core.toDotPath(path)}: ${fault}`;
  });
  return faults.join('; ');
}

/** What is wrong with a parameter's values; undefined if nothing is. */
function valuesFault(values: readonly string[]): string | undefined {
  if (values.length === 0) return 'must be a string or a non-empty array of strings';
  if (values.length > MAX_PARAM_VALUES) return `must have at most ${MAX_PARAM_VALUES} values, and has ${values.length}`;
  const longest = Math.max(...values.map(({ length }) => length));
  if (longest > MAX_VALUE_LENGTH) return `must have values of at most ${MAX_VALUE_LENGTH} characters, not ${longest}`;
  // Half of an emoji, for example, cannot stand in a URL.
  return values.every((value) => value.isWellFormed()) ? undefined : 'must not be cut within a character';
}

/**
 * A list of one callback counts as that callback, and an empty one as not set: in a flow, a reference to an attribute
 * that is not set is empty.
 */
function withPlainCallback(params: Record<string, string | string[]>): Record<string, string | string[]> {
  const { callback: given, ...others } = params;
  const callback = Array.isArray(given) && given.length === 1 ? given[0] : given;
  if (callback === undefined || callback === '') return others;
  return callback === given ? params : { ...others, callback };
}

/** Only https is posted to, but for local tests (RESULTS_ALLOW_LOCAL). */
function isHttpUrl(text: string): boolean {
  const protocol = URL.parse(text)?.protocol;
  return protocol === 'https:' || protocol === 'http:';
}
