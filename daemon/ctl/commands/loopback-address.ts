import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { Failure } from '../failure.ts';

const ADDRESS = /^(?:(127\.0\.0\.1|localhost|\[::1\]):)?(\d{1,5})$/;
const HIGHEST_PORT = 65_535;

/** Parses `8081`, `127.0.0.1:8081`, `localhost:8081` or `[::1]:8081`; no address that other machines can reach. Throws
 *  InvalidArgumentError, which commander reports. */
export function parseLoopbackAddress(text: string): string {
  const [, host = '127.0.0.1', port] = ADDRESS.exec(text) ?? [];
  if (port !== undefined && Number(port) <= HIGHEST_PORT) return `${host}:${Number(port)}`;
  throw new InvalidArgumentError(
    'It must be a port, or a loopback address and a port, such as 127.0.0.1:8081; from another machine, use ssh or SSM port forwarding.',
  );
}

/** Listens on a parsed address, for port 0 on a free port. Returns the URL; throws a Failure if it cannot listen. */
export async function listenOnLoopback(server: Server, address: string): Promise<string> {
  const colon = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
  server.listen(port, host.replace(/^\[(.*)\]$/, '$1'));
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? `${address} is in use` : `cannot listen on ${address} (${message})`;
    throw new Failure(`${why}; choose another with --listen, or 0 for a free port`, undefined, { cause });
  }
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}
