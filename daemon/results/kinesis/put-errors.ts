import type { Millis } from '../../runtime/clock.ts';

/** The request is refused for what is in it, such as a record above the stream's own limit. */
const ABOUT_RECORDS: readonly string[] = ['ValidationException', 'InvalidArgumentException', 'SerializationException'];

/** What an operator can do, by error. Other errors are temporary, or their message says what to do. */
const REMEDIES: Readonly<Record<string, string>> = {
  AccessDeniedException: 'allow kinesis:PutRecords on the stream',
  ResourceNotFoundException: 'check RESULTS_STREAM',
  KMSAccessDeniedException: "allow kms:GenerateDataKey on the stream's key",
  KMSDisabledException: "enable the stream's KMS key",
  KMSNotFoundException: "the stream's KMS key is gone",
  CredentialsProviderError: 'give the instance a role',
};

/** True if another attempt with these records is refused too. */
export function isAboutRecords(error: unknown): boolean {
  return error instanceof Error && ABOUT_RECORDS.includes(error.name);
}

/** A failed PutRecords for a log: without AWS's message, which may quote the request. */
export function describePutError(error: unknown, timeoutMs: Millis | undefined): string {
  if (timeoutMs !== undefined) return `Kinesis did not respond within ${timeoutMs} ms`;
  const { name, code, $metadata } = error as { name?: string; code?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode === undefined ? '' : ` (HTTP ${$metadata.httpStatusCode})`;
  const remedy = REMEDIES[name ?? ''];
  return `PutRecords failed: ${name ?? 'Error'}${code ? ` ${code}` : ''}${status}${remedy ? `: ${remedy}` : ''}`;
}
