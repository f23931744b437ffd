import { secretRegion } from '../contract/secret-arn.ts';
import { orAborted } from '../runtime/abort.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Egress } from '../runtime/egress.ts';
import { SecretRefused, secretEmpty, secretRefusal } from './secret-refused.ts';

/** Secrets Manager's labels for the current and the previous version. */
export type Stage = 'AWSCURRENT' | 'AWSPREVIOUS';

export interface SecretVersion {
  readonly value: string;
  /** When it was stored (epoch ms). */
  readonly createdAtEpochMs: Millis;
}

/** Leaves time for a retry while a start request waits. */
const CONNECT_TIMEOUT_MS: Millis = 1500;

/**
 * Reads a secret from Secrets Manager in the ARN's region, with the SDK's default credentials and
 * AWS_ENDPOINT_URL_SECRETS_MANAGER. Loads the SDK on the first call. Throws SecretRefused.
 */
export async function readSecret(
  arn: string,
  stage: Stage,
  timeoutMs: Millis,
  clock: Clock,
  { mayBeJson = false, egress }: { readonly mayBeJson?: boolean; readonly egress?: Egress | undefined } = {},
): Promise<SecretVersion> {
  const region = secretRegion(arn);
  if (!region) throw new TypeError('not the ARN of a secret: settings are validated first');
  const signal = clock.timeout(timeoutMs);
  try {
    // The SDK takes no signal while it loads and while it looks for credentials.
    const version = await orAborted(request({ arn, stage, region, egress }, signal), signal);
    // The console stores JSON by default.
    if (mayBeJson || !isJsonObject(version.value)) return version;
    throw new SecretRefused('secret-unusable', `${arn} holds a JSON object: store the value alone, as plain text`);
  } catch (error) {
    if (error instanceof SecretRefused) throw error;
    const cause = signal.aborted ? new Error(`no response within ${timeoutMs} ms`, { cause: error }) : error;
    throw secretRefusal(cause, arn);
  }
}

async function request(
  { arn, stage, region, egress }: { arn: string; stage: Stage; region: string; egress: Egress | undefined },
  abortSignal: AbortSignal,
): Promise<SecretVersion> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const requestHandler = { connectionTimeout: CONNECT_TIMEOUT_MS, ...(egress && { httpsAgent: egress.agent() }) };
  const client = new SecretsManagerClient({ region, requestHandler });
  try {
    const command = new GetSecretValueCommand({ SecretId: arn, VersionStage: stage });
    const { SecretString: text, CreatedDate: created } = await client.send(command, { abortSignal });
    if (text === undefined) throw new SecretRefused('secret-unusable', `${arn} is binary: store text`);
    const value = text.trim();
    if (value === '') throw secretEmpty(arn);
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
    // A secret may start with a brace.
    return false;
  }
}
