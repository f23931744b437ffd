import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Millis } from '../../daemon/runtime/clock.ts';

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** Why a request was not accepted as integratord's; for the log, not for the sender. */
export type SignatureFault = 'missing-signature' | 'bad-signature' | 'stale-signature';

/** How far the sender's clock may be from ours, in both directions, as in the standard's own libraries. */
const TOLERANCE_MS: Millis = 5 * 60_000;
/** A secret is this prefix and a key of 24 to 64 bytes in base64. */
const PREFIX = 'whsec_';
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/**
 * The fault in a Standard Webhooks signature over the body as it was received; undefined if it is valid. The header may
 * hold several signatures, separated by spaces: while a secret changes, integratord signs with both.
 */
export function signatureFault(
  key: Buffer,
  headers: Headers,
  body: Uint8Array,
  nowEpochMs: Millis,
): SignatureFault | undefined {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!id || !timestamp || !signatures) return 'missing-signature';
  if (!/^\d{1,12}$/.test(timestamp)) return 'bad-signature';
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  if (!signatures.split(' ').some((each) => isSignature(each, expected))) return 'bad-signature';
  // Last, so that only integratord can learn that its clock is wrong.
  if (Math.abs(nowEpochMs - Number(timestamp) * 1000) > TOLERANCE_MS) return 'stale-signature';
  return undefined;
}

/** The key of a secret `whsec_…`, whose rest is base64. Throws an Error that does not repeat the secret. */
export function signingKey(secret: string): Buffer {
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '', 'base64');
  if (key.length < MIN_KEY_BYTES || key.length > MAX_KEY_BYTES) {
    throw new Error(`the secret is not ${PREFIX} and ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes in base64`);
  }
  return key;
}

/** Compares in constant time. */
function isSignature(versioned: string, expected: Buffer): boolean {
  const [version, base64 = ''] = versioned.split(',', 2);
  const signature = Buffer.from(base64, 'base64');
  return version === 'v1' && signature.length === expected.length && timingSafeEqual(signature, expected);
}
