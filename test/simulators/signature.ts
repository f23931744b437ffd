const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[^/\s]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request,.*Signature=[0-9a-f]{64}$/;

/** Error codes of the services with AWS's query protocol. */
export const QUERY_CODES = { missing: 'MissingAuthenticationToken', wrong: 'SignatureDoesNotMatch' } as const;
/** Error codes of the services with a JSON protocol. */
export const JSON_CODES = {
  missing: 'MissingAuthenticationTokenException',
  wrong: 'InvalidSignatureException',
} as const;

/** Why AWS refuses a request, in its words. */
interface SignatureFault {
  readonly kind: 'missing' | 'wrong';
  readonly message: string;
}

/**
 * What is wrong with an Authorization header for `service` in `region`; undefined if nothing is. The signature itself is
 * not verified, because the secret key is unknown here.
 */
export function signatureFault(authorization = '', region: string, service: string): SignatureFault | undefined {
  const [, signedRegion, signedService] = AUTHORIZATION.exec(authorization) ?? [];
  if (!signedRegion) return { kind: 'missing', message: 'Missing Authentication Token' };
  if (signedRegion === region && signedService === service) return undefined;
  const scope = `Credential should be scoped to ${region}/${service}, not ${signedRegion}/${signedService}.`;
  return { kind: 'wrong', message: scope };
}
