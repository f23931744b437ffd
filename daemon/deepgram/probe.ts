import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { orAborted } from '../runtime/abort.ts';
import { Egress } from '../runtime/egress.ts';
import { connectTls, type TlsPeer } from '../runtime/tls.ts';
import { DeepgramUnreachable } from './errors.ts';
import type { DeepgramSettings } from './socket.ts';

/** A connection in the making. */
interface Attempt {
  readonly connected: Promise<unknown>;
  abandon(): void;
}

/** Connects to Deepgram, TLS included, and closes: no request, so no key is sent. Throws DeepgramUnreachable. */
export async function probeDeepgram(
  { baseUrl, egress = new Egress() }: Pick<DeepgramSettings, 'baseUrl' | 'egress'>,
  signal: AbortSignal,
): Promise<void> {
  const { protocol, hostname, port, host } = new URL(baseUrl);
  const isEncrypted = protocol === 'wss:' || protocol === 'https:';
  const peer = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (isEncrypted ? 443 : 80) };
  const isProxied = isEncrypted && egress.isProxied(peer.host, peer.port);
  const attempt = isProxied ? throughProxy(peer, egress) : direct(peer, isEncrypted);
  try {
    await orAborted(attempt.connected, signal);
  } catch (cause) {
    throw new DeepgramUnreachable(host, cause);
  } finally {
    attempt.abandon();
  }
}

function direct(peer: TlsPeer, isEncrypted: boolean): Attempt {
  const socket = isEncrypted ? connectTls(peer) : connect(peer);
  const connected = once(socket, isEncrypted ? 'secureConnect' : 'connect');
  return { connected, abandon: () => close(socket) };
}

function throughProxy(peer: TlsPeer, egress: Egress): Attempt {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const toProxy = egress.tunnelTls(peer, (error, socket) => {
    if (socket) close(socket);
    if (error) reject(error);
    else resolve();
  });
  // After the signal's reason was thrown.
  promise.catch(() => {});
  return { connected: promise, abandon: () => close(toProxy) };
}

function close(socket: Duplex): void {
  // Errors of an abandoned connection.
  socket.on('error', () => {});
  socket.destroy();
}
