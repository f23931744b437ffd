import { systemClock } from '../../daemon/runtime/clock.ts';
import { readSecret } from '../../daemon/secrets/secrets-manager.ts';
import { createLog } from '../log.ts';
import { CachedSecret } from './cached-secret.ts';
import { Receiver, type Request } from './receiver.ts';
import { S3Store } from './s3-store.ts';
import { signingKey } from './signature.ts';

/** The part of a function URL's event (payload format 2.0) that we use. */
interface FunctionUrlEvent {
  readonly rawPath: string;
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly requestContext: { readonly http: { readonly method: string } };
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

interface FunctionUrlResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request to a function URL. Its body is what was sent, byte for byte: the signature is over that. */
export function requestOf({
  rawPath,
  headers = {},
  requestContext,
  body = '',
  isBase64Encoded,
}: FunctionUrlEvent): Request {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  return { method: requestContext.http.method, path: rawPath, headers, body: bytes };
}

/** The Lambda function's entry point. */
export async function handler(event: FunctionUrlEvent): Promise<FunctionUrlResult> {
  receiver ??= fromEnvironment(process.env);
  const { status, headers, body } = await receiver.answer(requestOf(event));
  return { statusCode: status, headers, body };
}

let receiver: Receiver | undefined;

/** integratord waits 15 s for a response. */
const SECRET_TIMEOUT_MS = 5000;

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Receiver {
  const needed = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`the environment variable ${name} is not set`);
    return value;
  };
  const secret = async (arn: string) => (await readSecret(arn, 'AWSCURRENT', SECRET_TIMEOUT_MS, systemClock)).value;
  const keyArn = needed('RESULTS_SECRET_ARN');
  const tokenArn = needed('READ_TOKEN_SECRET_ARN');
  return new Receiver({
    key: new CachedSecret(async () => signingKey(await secret(keyArn)), systemClock),
    token: new CachedSecret(() => secret(tokenArn), systemClock),
    store: new S3Store(needed('TRANSCRIPTS_BUCKET'), env, systemClock),
    clock: systemClock,
    log: createLog(env['LOG_LEVEL'], systemClock, (line) => process.stdout.write(`${line}\n`)),
  });
}
