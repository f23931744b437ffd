import type { Millis } from '../../runtime/clock.ts';
import type { Egress } from '../../runtime/egress.ts';
import { webhookConnector } from './connector.ts';
import { guardedLookup } from './guarded-lookup.ts';
import { literalFault } from './webhook-url.ts';

interface ReachOptions {
  readonly egress: Egress;
  readonly allowsLocal: boolean;
  readonly timeoutMs: Millis;
}

/**
 * Opens a connection to a webhook's origin as deliveries do, and closes it: nothing is posted. Rejects with why that
 * fails, such as a refused address, TLS or the proxy.
 */
export async function reachWebhook(origin: string, { egress, allowsLocal, timeoutMs }: ReachOptions): Promise<void> {
  const { protocol, hostname, host, port } = new URL(origin);
  const fault = allowsLocal ? undefined : literalFault(hostname);
  if (fault) throw new Error(`${host} ${fault}`);
  const connect = webhookConnector({ egress, lookup: allowsLocal ? undefined : guardedLookup(), timeoutMs });
  const plain = hostname.replace(/^\[|\]$/g, '');
  await new Promise<void>((resolve, reject) => {
    connect({ protocol, hostname: plain, host, port }, (error, socket) => {
      socket?.destroy();
      if (error) reject(error);
      else resolve();
    });
  });
}
