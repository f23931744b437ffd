import { isIP, type OnReadOpts } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

/** Peers whose last TLS session is remembered: Kinesis has a handful of endpoints in a region, Deepgram one. */
const MAX_PEERS = 100;

/** Shared by all connections of this thread: one of its own would cost each 20 KiB for as long as a call lasts. */
let context: SecureContext | undefined;
const sessions = new Map<string, Buffer>();

/** Where to, and how it is read. */
export interface TlsPeer {
  readonly host: string;
  readonly port: number;
  readonly onread?: OnReadOpts;
}

/**
 * Opens a connection that speaks HTTP/1.1 within TLS, with the process' own trust. Resumes the last session with this
 * peer where it allows that: half the work of a handshake, and its certificates are held once and not per connection.
 */
export function connectTls(peer: TlsPeer): TLSSocket {
  const { host, port } = peer;
  const name = `${host}:${port}`;
  const session = sessions.get(name);
  context ??= createSecureContext();
  const options = {
    ...peer,
    servername: isIP(host) ? '' : host,
    ALPNProtocols: ['http/1.1'],
    secureContext: context,
    ...(session && { session }),
  };
  // Node documents `onread` for TLS too; its types do not have it there.
  const socket = connect(options as ConnectionOptions);
  socket.on('session', (ticket) => {
    if (sessions.size >= MAX_PEERS) sessions.clear();
    sessions.set(name, ticket);
  });
  return socket;
}
