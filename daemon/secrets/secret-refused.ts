type SecretFault =
  | 'secret-empty'
  | 'secret-not-found'
  | 'secret-not-allowed'
  | 'secret-unusable'
  | 'secret-unreachable';

/** A secret could not be read from Secrets Manager. The message has its ARN and what to do, never a value. */
export class SecretRefused extends Error {
  override readonly name = 'SecretRefused';
  readonly fault: SecretFault;
  /** True when the same request may succeed later with nothing changed. */
  readonly retryable: boolean;

  constructor(fault: SecretFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
    this.retryable = fault === 'secret-unreachable';
  }
}

/** AWS error names for missing credentials or permissions. */
const NOT_ALLOWED =
  /AccessDenied|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|ExpiredToken|AuthenticationToken|DecryptionFailure/;
const TRANSIENT = /Throttl|LimitExceeded|TooManyRequests|RequestTimeout/;
/** What distinguishes the ResourceNotFoundException of a missing version from that of a missing secret. */
const NO_VALUE = /secret value/i;

/** The secret exists but has no value. */
export function secretEmpty(arn: string, options?: ErrorOptions): SecretRefused {
  const command = `aws secretsmanager put-secret-value --secret-id ${arn} --secret-string file:///dev/stdin`;
  const message = `${arn} has no value yet: run \`${command}\`, type the value, then Enter and Ctrl-D (it stays out of the shell's history)`;
  return new SecretRefused('secret-empty', message, options);
}

/** Translates an error of the SDK. */
export function secretRefusal(error: unknown, arn: string): SecretRefused {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const reason = `${name}: ${message.replaceAll(/\s+/g, ' ')}`;
  const options = { cause: error };
  if (name === 'ResourceNotFoundException') {
    if (NO_VALUE.test(message)) return secretEmpty(arn, options);
    return new SecretRefused('secret-not-found', `${arn} does not exist: check the ARN (${reason})`, options);
  }
  if (name === 'CredentialsProviderError') {
    const remedy = 'give the instance or the function a role';
    return new SecretRefused('secret-not-allowed', `${arn} cannot be read without AWS credentials: ${remedy}`, options);
  }
  if (NOT_ALLOWED.test(name)) {
    const remedy = 'allow the role secretsmanager:GetSecretValue on it, and kms:Decrypt on its key';
    return new SecretRefused('secret-not-allowed', `access to ${arn} is denied: ${remedy} (${reason})`, options);
  }
  if (isClientError(error) && !TRANSIENT.test(name)) {
    return new SecretRefused('secret-unusable', `${arn} cannot be read: ${reason}`, options);
  }
  const remedy = 'check DNS and the route to Secrets Manager, or its VPC endpoint';
  return new SecretRefused('secret-unreachable', `${arn} cannot be read now: ${remedy} (${reason})`, options);
}

function isClientError(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500;
}
