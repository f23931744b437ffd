import { secretRegion } from '../contract/secret-arn.ts';
import { orAborted } from '../runtime/abort.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { SecretRefused, secretEmpty, secretRefusal } from './secret-refused.ts';

/** Secrets Manager's own labels of versions: the one that counts, and the one that counted before. */
export type Stage = 'AWSCURRENT' | 'AWSPREVIOUS';

/** One version of a secret. */
export interface SecretVersion {
  readonly value: string;
  /** When Secrets Manager got it (epoch ms). */
  readonly createdAtEpochMs: Millis;
}

/** Another attempt must fit into what a start is given. */
const CONNECT_TIMEOUT_MS: Millis = 1500;

/**
 * Reads a secret from Secrets Manager in the ARN's region, with the SDK's own credentials and its own
 * AWS_ENDPOINT_URL_SECRETS_MANAGER. The SDK is loaded at the first call: without an ARN never. Throws SecretRefused.
 */
export async function readSecret(arn: string, stage: Stage, timeoutMs: Millis, clock: Clock): Promise<SecretVersion> {
  const region = secretRegion(arn);
  if (!region) throw new TypeError('no ARN of a secret: settings are checked before they are used');
  const signal = clock.timeout(timeoutMs);
  try {
    // The SDK takes no signal while it loads and while it looks for credentials.
    return await orAborted(request(arn, stage, region, signal), signal);
  } catch (error) {
    if (error instanceof SecretRefused) throw error;
    const cause = signal.aborted ? new Error(`no answer within ${timeoutMs} ms`, { cause: error }) : error;
    throw secretRefusal(cause, arn);
  }
}

async function request(arn: string, stage: Stage, region: string, abortSignal: AbortSignal): Promise<SecretVersion> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({ region, requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS } });
  try {
    const command = new GetSecretValueCommand({ SecretId: arn, VersionStage: stage });
    const { SecretString: text, CreatedDate: created } = await client.send(command, { abortSignal });
    if (text === undefined) throw new SecretRefused('secret-unusable', `${arn} holds bytes: store text`);
    const value = text.trim();
    if (value === '') throw secretEmpty(arn);
    // What the console makes of a secret unless it is told otherwise.
    if (isJsonObject(value)) {
      throw new SecretRefused('secret-unusable', `${arn} holds a JSON object: store the value alone, as plain text`);
    }
    return { value, createdAtEpochMs: created?.getTime() ?? 0 };
  } finally {
    client.destroy();
  }
}

function isJsonObject(text: string): boolean {
  if (!text.startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // A secret may begin with a brace.
    return false;
  }
}
