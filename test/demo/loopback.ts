import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DemoFailed } from './failure.ts';

/** Listens on 127.0.0.1 only; port 0 selects a free one. Returns the address. Throws DemoFailed if it cannot. */
export async function listenOnLoopback(server: Server, port: number): Promise<string> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken' : `cannot be listened on (${code})`;
    throw new DemoFailed(
      `Port ${port} on 127.0.0.1 ${why}: end what uses it, or choose another with --port (0 takes a free one).`,
      { cause },
    );
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Closes a server and all its connections. */
export function closeNow(server: Server): void {
  server.close();
  server.closeAllConnections();
}
