export type SecretFault =
  | 'secret-empty'
  | 'secret-not-found'
  | 'secret-not-allowed'
  | 'secret-unusable'
  | 'secret-unreachable';

/** A secret could not be had from Secrets Manager. The message names its ARN and what to do, never a value. */
export class SecretRefused extends Error {
  override readonly name = 'SecretRefused';
  readonly fault: SecretFault;
  /** Whether the same request may succeed later without anybody's doing. */
  readonly retryable: boolean;

  constructor(fault: SecretFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
    this.retryable = fault === 'secret-unreachable';
  }
}

/** AWS' names for: we do not know you, or you may not. */
const NOT_ALLOWED =
  /AccessDenied|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|ExpiredToken|AuthenticationToken|DecryptionFailure/;
const PASSING = /Throttl|LimitExceeded|TooManyRequests|RequestTimeout/;
/** What GetSecretValue says of a secret that is there and has no version with the stage: it has no error for this. */
const NO_VALUE = /secret value/i;

/** The secret is there, and holds nothing. */
export function secretEmpty(arn: string, options?: ErrorOptions): SecretRefused {
  const command = `aws secretsmanager put-secret-value --secret-id ${arn} --secret-string file:///dev/stdin`;
  const message = `${arn} has no value yet: run \`${command}\`, type the value, then Enter and Ctrl-D (nothing of it stays in the shell's history)`;
  return new SecretRefused('secret-empty', message, options);
}

/** What went wrong when asking for the secret, as a SecretRefused. */
export function secretRefusal(error: unknown, arn: string): SecretRefused {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const says = `${name}: ${message.replaceAll(/\s+/g, ' ')}`;
  const options = { cause: error };
  if (name === 'ResourceNotFoundException') {
    if (NO_VALUE.test(message)) return secretEmpty(arn, options);
    return new SecretRefused('secret-not-found', `${arn} does not exist: check the ARN (${says})`, options);
  }
  if (name === 'CredentialsProviderError') {
    const remedy = 'give the instance or the function a role';
    return new SecretRefused('secret-not-allowed', `${arn} cannot be read without AWS credentials: ${remedy}`, options);
  }
  if (NOT_ALLOWED.test(name)) {
    const remedy = 'allow the role secretsmanager:GetSecretValue on it, and kms:Decrypt on its key';
    return new SecretRefused('secret-not-allowed', `${arn} may not be read: ${remedy} (${says})`, options);
  }
  if (isClientError(error) && !PASSING.test(name)) {
    return new SecretRefused('secret-unusable', `${arn} cannot be read: ${says}`, options);
  }
  const remedy = 'check DNS and the way out to Secrets Manager, or its VPC endpoint';
  return new SecretRefused('secret-unreachable', `${arn} cannot be read now: ${remedy} (${says})`, options);
}

function isClientError(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500;
}
