import { isIP, type OnReadOpts } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

/** Cached TLS sessions, one per peer: Kinesis has a handful of endpoints in a region, Deepgram has one. */
const MAX_PEERS = 100;

/** Shared by all connections of this thread; a context per connection would cost 20 KiB for as long as a call lasts. */
let context: SecureContext | undefined;
const sessions = new Map<string, Buffer>();

/** The peer, and how its data is read. */
export interface TlsPeer {
  readonly host: string;
  readonly port: number;
  readonly onread?: OnReadOpts;
}

/**
 * Opens a TLS connection for HTTP/1.1, with the process's trusted certificates. Resumes the last session with this peer if
 * the peer allows it: half the work of a handshake, and certificates are held once instead of per connection.
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
  // Node documents `onread` for TLS, but its types lack it.
  const socket = connect(options as ConnectionOptions);
  // A session that a handshake fails with is dropped: a middlebox may reset all resumed handshakes.
  if (session) {
    let isOpen = false;
    socket.once('secureConnect', () => {
      isOpen = true;
    });
    socket.once('close', () => {
      if (!isOpen) sessions.delete(name);
    });
  }
  socket.on('session', (ticket) => {
    if (sessions.size >= MAX_PEERS) sessions.clear();
    sessions.set(name, ticket);
  });
  return socket;
}
