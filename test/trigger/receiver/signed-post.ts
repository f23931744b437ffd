import { Webhook } from 'standardwebhooks';
import type { NumberedEvent } from '../../../daemon/contract/events.ts';

/** A request with these events as integratord posts it, signed by the standard's own library. */
export function signedPost(events: readonly NumberedEvent[], secret: string, atMs: number) {
  const [{ contactId = '', sessionId = '', epoch = 1, sequence = 1 } = {}] = events;
  const timestamp = new Date(atMs);
  const body = JSON.stringify({
    type: 'integratord.events',
    timestamp: timestamp.toISOString(),
    data: { contactId, sessionId, events },
  });
  const id = `${sessionId}_${epoch}_${sequence}-${events.at(-1)?.sequence}`;
  return { body, headers: signatureHeaders(id, body, secret, timestamp) };
}

export function signatureHeaders(id: string, body: string, secret: string, timestamp: Date) {
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, timestamp, body),
  };
}
