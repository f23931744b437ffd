import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import type { VirtualClock } from '../support/virtual-clock.ts';

/** A complete request. */
type Arrival = {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
  atMs: number;
};

type Integrator = { domain: string; arrivals: Arrival[] };

/** An HTTP server on loopback; `answer` responds to the nth request (from 1). Closes when the test ends. */
export async function integratorThat(
  t: ExecutionContext,
  answer: (response: ServerResponse, nth: number, arrival: Arrival) => void,
): Promise<Integrator> {
  const arrivals: Arrival[] = [];
  const listener: RequestListener = async (request, response) => {
    const { method, url: path, headers } = request;
    const arrival = { method, path, headers, body: await text(request), atMs: Date.now() };
    arrivals.push(arrival);
    answer(response, arrivals.length, arrival);
  };
  const server = http.createServer(listener);
  t.teardown(() => server.closeAllConnections());
  return { domain: await listen(t, server), arrivals };
}

/** A TCP server on loopback; `treat` handles every connection. Returns its host:port. */
export function socketsThat(t: ExecutionContext, treat: (socket: Socket) => void): Promise<string> {
  const open = new Set<Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('error', () => open.delete(socket));
    treat(socket);
  });
  t.teardown(() => {
    for (const socket of open) socket.destroy();
  });
  return listen(t, server);
}

/** Lets virtual time pass, 10 ms per turn of the event loop, until the client has closed its connection. */
export function passTime(clock: VirtualClock, socket: Socket | null): void {
  // A socket that is not read from does not notice that it was closed.
  socket?.resume();
  const pass = () => {
    if (!socket || socket.destroyed) return;
    clock.forward(10);
    setImmediate(pass);
  };
  pass();
}

/** Responds with JSON. */
export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function started(response: ServerResponse): void {
  json(response, 200, { sessionId: 'session-1', status: 'started' });
}

async function listen(t: ExecutionContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
  });
  return domainOf(server);
}

function domainOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
