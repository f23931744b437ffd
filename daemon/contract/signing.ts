import { createHmac, timingSafeEqual } from 'node:crypto';

/** Unix time of the signature in whole seconds. */
export const TIMESTAMP_HEADER = 'x-integrator-timestamp';
/** `v1=` and, in hex, the HMAC-SHA256 of `<timestamp>.<body>` with the key TRIGGER_SECRET. */
const SIGNATURE_HEADER = 'x-integrator-signature';
/** How long the caller waits for the response, in whole milliseconds. */
export const TIMEOUT_HEADER = 'x-integrator-timeout-ms';

/** Limits replays of a captured request; clocks may differ by as much in either direction. */
const MAX_AGE_S = 300;

export type SignatureFault = 'missing-signature' | 'bad-signature' | 'stale-signature';

/** The headers that sign `body` at `nowMs` (epoch milliseconds). */
export function signatureHeaders(secret: string, body: string, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  return { [TIMESTAMP_HEADER]: timestamp, [SIGNATURE_HEADER]: `v1=${digest(secret, timestamp, body).toString('hex')}` };
}

/** The fault in the signature of a request received at `nowMs` (epoch milliseconds); undefined if it is valid. */
export function signatureFault(
  secret: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string | Uint8Array,
  nowMs: number,
): SignatureFault | undefined {
  const timestamp = headers[TIMESTAMP_HEADER];
  const signature = headers[SIGNATURE_HEADER];
  if (typeof timestamp !== 'string' || typeof signature !== 'string') return 'missing-signature';
  if (!/^\d{1,12}$/.test(timestamp) || !/^v1=[0-9a-f]{64}$/.test(signature)) return 'bad-signature';
  if (!timingSafeEqual(digest(secret, timestamp, body), Buffer.from(signature.slice(3), 'hex'))) return 'bad-signature';
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > MAX_AGE_S) return 'stale-signature';
  return undefined;
}

/** As signatureFault, for several accepted secrets: undefined if the signature is valid with one of them. */
export function signatureFaultWithAny(
  secrets: readonly string[],
  ...request: [
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: string | Uint8Array,
    nowMs: number,
  ]
): SignatureFault | undefined {
  const faults = secrets.map((secret) => signatureFault(secret, ...request));
  if (faults.includes(undefined)) return undefined;
  return faults.find((fault) => fault !== 'bad-signature') ?? 'bad-signature';
}

function digest(secret: string, timestamp: string, body: string | Uint8Array): Buffer {
  return createHmac('sha256', secret).update(timestamp).update('.').update(body).digest();
}
