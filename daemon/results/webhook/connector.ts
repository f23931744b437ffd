import { buildConnector } from 'undici';
import type { Millis } from '../../runtime/clock.ts';
import type { Egress } from '../../runtime/egress.ts';
import { sharedContext } from '../../runtime/tls.ts';
import type { Lookup } from './guarded-lookup.ts';

const HTTPS_PORT = 443;

interface ConnectorOptions {
  readonly egress: Egress;
  /** Resolves the names of hosts that are connected to directly; the proxy resolves those of the others. */
  readonly lookup: Lookup | undefined;
  readonly timeoutMs: Millis;
}

/** Opens undici's connections: directly, or through the proxy where one is used for the host. */
export function webhookConnector({ egress, lookup, timeoutMs }: ConnectorOptions): buildConnector.connector {
  const connectDirectly = buildConnector({
    ...(lookup && { lookup }),
    secureContext: sharedContext(),
    timeout: timeoutMs,
    allowH2: false,
    // undici would offer a TLS session again and again, although a middlebox resets every handshake that resumes one.
    maxCachedSessions: 0,
  });
  return (options, callback) => {
    const { hostname: host, protocol } = options;
    const port = Number(options.port || HTTPS_PORT);
    if (protocol !== 'https:' || !egress.isProxied(host, port)) {
      connectDirectly(options, callback);
      return;
    }
    const established = (...[error, socket]: Parameters<Parameters<Egress['tunnelTls']>[1]>) => {
      if (socket) callback(null, socket);
      else callback(error ?? new Error('no connection'), null);
    };
    egress.tunnelTls({ host, port }, established, timeoutMs);
  };
}
