import { DeepgramRefused, DeepgramUnreachable } from '../deepgram/errors.ts';
import { KinesisRefused } from '../kinesis/refusal.ts';
import { StartTimedOut, ThreadLost } from './host.ts';

/** An error in transit between threads: structured cloning would turn our error classes into plain Errors. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Fields of its class, such as `status`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: PackedError | undefined;
}

/** Errors of a start that callers distinguish by class. */
const CLASSES = [KinesisRefused, DeepgramRefused, DeepgramUnreachable, StartTimedOut, ThreadLost];
const PROTOTYPES = new Map<string, object>(CLASSES.map((each) => [each.name, each.prototype]));
/** As many as the log shows. */
const MOST_CAUSES = 5;

export function packError(error: unknown, depth = 0): PackedError {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, fields: {}, cause: undefined };
  const { name, message, stack, cause } = error;
  const plain = Object.entries(error).filter(([, value]) => /^(string|number|boolean)$/.test(typeof value));
  const hasCause = cause !== undefined && depth < MOST_CAUSES;
  return {
    name,
    message,
    stack,
    fields: Object.fromEntries(plain),
    cause: hasCause ? packError(cause, depth + 1) : undefined,
  };
}

/** Restores the error as an instance of its class. */
export function unpackError({ name, message, stack, fields, cause }: PackedError): Error {
  const error = new Error(message, cause && { cause: unpackError(cause) });
  Object.setPrototypeOf(error, PROTOTYPES.get(name) ?? Error.prototype);
  return Object.assign(error, fields, { name, stack });
}
