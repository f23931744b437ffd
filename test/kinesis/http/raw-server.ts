import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What a raw server does with a connection after a request's head. */
export type Answer = (socket: Socket, request: string) => void;

/** A server on loopback that sends whatever `answer` writes. */
export async function serve(answer: Answer) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
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
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, close };
}
