import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

/**
 * A host:port where nothing listens. A port that a test had and closed may be another test's a moment later; this one
 * lies below the ports that the kernel gives out.
 */
export const NOWHERE = '127.0.0.1:9';

/** Starts the server on a free port of 127.0.0.1; returns the port. The end of the test closes it and its connections. */
export async function listening(t: { teardown(end: () => void): void }, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
