import { createHmac, type KeyObject } from 'node:crypto';
import type { Millis } from '../../runtime/clock.ts';
import type { Batch } from '../sink.ts';

const COMMA = Buffer.from(',');
const END = Buffer.from(']}}');

/** The type of every body, by Standard Webhooks. */
const BODY_TYPE = 'integratord.events';

/** The body of a batch: the same bytes in every attempt. */
export function bodyOf({ session, events }: Batch, atEpochMs: Millis): Buffer {
  const { contactId, sessionId } = session;
  const data = JSON.stringify({ contactId, sessionId }).slice(0, -1);
  const timestamp = new Date(atEpochMs).toISOString();
  const parts: Buffer[] = [Buffer.from(`{"type":"${BODY_TYPE}","timestamp":"${timestamp}","data":${data},"events":[`)];
  for (const [index, { json }] of events.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(json);
  }
  parts.push(END);
  return Buffer.concat(parts);
}

/**
 * The headers that a consumer verifies (https://www.standardwebhooks.com): an HMAC over id, time and body for each key,
 * so that either secret verifies while it is changed. The time is that of the attempt: libraries refuse an old one.
 */
export function signatureHeaders(
  id: string,
  body: Buffer,
  keys: readonly KeyObject[],
  atEpochMs: Millis,
): Record<string, string> {
  const timestamp = String(Math.floor(atEpochMs / 1000));
  const signatures = keys.map((key) => {
    const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
    return `v1,${hmac.digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
