import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect as connectTcp, createServer, type Server } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { buildConnector } from 'undici';
import type { Connection } from '../../daemon/results/webhook/connection.ts';
import { Connections } from '../../daemon/results/webhook/connections.ts';
import { listening } from '../support/loopback.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const POST = { path: '/', method: 'POST', body: Buffer.from('{}') } as const;

/** Two connections at most to a server, and virtual time. */
async function stage(t: ExecutionContext, server: Server, connect: buildConnector.connector = buildConnector({})) {
  const timers = new VirtualClock();
  const port = await listening(t, server);
  const connections = new Connections({ origin: `http://127.0.0.1:${port}`, connect, timers, most: 2 });
  t.teardown(() => connections.close());
  return { connections, timers, port };
}

const taken = (connections: Connections) => connections.take() as Connection;

test('no more connections than allowed; one that is released serves the request that waits longest', async (t) => {
  const { connections } = await stage(t, createServer());
  const [one, two] = [taken(connections), taken(connections)];
  t.not(one, two);
  t.is(connections.take(), undefined);
  const waiting = [connections.wait(), connections.wait()] as const;
  connections.release(two);
  t.is(await waiting[0], two);
  connections.release(one);
  t.is(await waiting[1], one);
  connections.release(one);
  t.is(connections.take(), one);
});

test('a request does not wait for a connection for ever', async (t) => {
  const { connections, timers } = await stage(t, createServer());
  const [one, two] = [taken(connections), taken(connections)];
  const tooLong = connections.wait();
  await timers.advance(15_001);
  const inTime = connections.wait();
  connections.release(one);
  t.is(await tooLong, undefined);
  t.is(await inTime, one);
  const atTheEnd = connections.wait();
  connections.close();
  t.is(await atTheEnd, undefined);
  t.truthy(two);
});

test('a request whose time is over before it is connected is never sent', async (t) => {
  let received = '';
  const server = createServer((socket) => void socket.on('data', (data) => (received += data)).on('error', () => {}));
  let finish = () => {};
  const { connections, timers } = await stage(t, server, ({ port }, callback) => {
    finish = () => {
      const socket = connectTcp(Number(port), '127.0.0.1', () => callback(null, socket));
    };
  });
  const connected = once(server, 'connection');
  const answer = taken(connections).post(POST);
  await timers.advance(15_000);
  finish();
  const [socket] = await connected;
  t.like(await answer, { error: { message: 'no answer within 15000 ms' } });
  await once(socket, 'close');
  t.is(received, '');
});

test('a connection that could not be opened is opened for the next request', async (t) => {
  let isDown = true;
  const direct = buildConnector({});
  const server = createHttpServer((_request, response) => response.writeHead(204).end());
  const { connections } = await stage(t, server, (options, callback) => {
    if (isDown) callback(new Error('down'), null);
    else direct(options, callback);
  });
  const connection = taken(connections);
  t.like(await connection.post(POST), { error: { message: 'down' } });
  isDown = false;
  t.like(await connection.post(POST), { status: 204 });
});

test('a request is posted again at once only if its connection had been used', async (t) => {
  let posts = 0;
  const server = createServer((socket) => {
    let onThis = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      posts += 1;
      onThis += 1;
      if (posts < 2 || onThis > 1) socket.destroy();
      else socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  const { connections } = await stage(t, server);
  const connection = taken(connections);
  t.true('error' in (await connection.post(POST)));
  t.is(posts, 1);
  t.like(await connection.post(POST), { status: 204 });
  t.is(posts, 2);
  t.like(await connection.post(POST), { status: 204 });
  t.is(posts, 4);
});
