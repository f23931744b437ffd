import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsIdentity } from '../../load/certificates.ts';

/** What a raw server does with a connection after a request's head. */
export type Answer = (socket: Socket, request: string) => void;

/** A server on loopback that sends whatever `answer` writes; over TLS when it has an identity. */
export async function serve(answer: Answer, identity?: TlsIdentity) {
  const sockets = new Set<Socket>();
  const take = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Broken connections are part of the tests.
    socket.on('error', () => {});
    let request = '';
    const read = (bytes: Buffer) => {
      request += bytes.toString('latin1');
      if (!request.includes('\r\n\r\n')) return;
      socket.off('data', read);
      socket.resume();
      answer(socket, request);
    };
    socket.on('data', read);
  };
  const server: Server = identity ? createTlsServer({ ...identity }, take) : createServer(take);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, close };
}
