import { isIP, type OnReadOpts } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

/** Cached TLS sessions, one per peer: Kinesis has a handful of endpoints in a region, Deepgram has one. */
const MAX_PEERS = 100;

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
  // Node documents `onread` for TLS, but its types lack it.
  const socket = connect({ ...peer, ...tlsOptions(peer) } as ConnectionOptions);
  if (sessions.has(nameOf(peer))) {
    let isOpen = false;
    socket.once('secureConnect', () => {
      isOpen = true;
    });
    socket.once('close', () => {
      if (!isOpen) forgetSession(peer);
    });
  }
  keepSession(peer, socket);
  return socket;
}

/** What `tls.connect` needs beside the peer, for code that opens the connection. */
export function tlsOptions({ host, port }: TlsPeer): ConnectionOptions {
  const session = sessions.get(nameOf({ host, port }));
  return {
    servername: isIP(host) ? '' : host,
    ALPNProtocols: ['http/1.1'],
    secureContext: sharedContext(),
    ...(session && { session }),
  };
}

/** Shared by all connections of this thread: one of its own would cost each 20 KiB for as long as it is open. */
export function sharedContext(): SecureContext {
  context ??= createSecureContext();
  return context;
}

/** Keeps the sessions that a peer issues on a connection. */
export function keepSession(peer: TlsPeer, socket: TLSSocket): void {
  socket.on('session', (ticket) => {
    if (sessions.size >= MAX_PEERS) sessions.clear();
    sessions.set(nameOf(peer), ticket);
  });
}

/** Drops a session that a handshake failed with: a middlebox may reset all resumed handshakes. */
export function forgetSession(peer: TlsPeer): void {
  sessions.delete(nameOf(peer));
}

function nameOf({ host, port }: TlsPeer): string {
  return `${host}:${port}`;
}
