import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import anyTest from 'ava';
import { webhookConnector } from '../../daemon/results/webhook/connector.ts';
import { Egress } from '../../daemon/runtime/egress.ts';
import { listening } from '../support/loopback.ts';
import { needs } from '../support/tools.ts';
import { trustedIdentity } from '../support/trusted-identity.ts';

const test = needs(anyTest, 'openssl');

test('a session whose resumption a middlebox resets is not offered again', async (t) => {
  const server = createServer({ ...(await trustedIdentity('localhost')) }, (socket) => {
    socket.on('error', () => {});
    // What follows the session's ticket, so that the client reads it.
    socket.write('.');
  });
  server.on('tlsClientError', () => {});
  let resets = false;
  const middlebox = createTcpServer((socket) => {
    if (resets) socket.resetAndDestroy();
    else server.emit('connection', socket);
  });
  const port = String(await listening(t, middlebox));
  const connect = webhookConnector({ egress: new Egress(), lookup: undefined, timeoutMs: 5000 });
  const connected = () => {
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const peer = { protocol: 'https:', hostname: 'localhost', host: `localhost:${port}`, port };
    connect(peer, (...[error, socket]) => (error ? reject(error) : resolve(socket as TLSSocket)));
    return promise;
  };

  const first = await connected();
  t.teardown(() => first.destroy());
  const ticket = once(first, 'session');
  first.resume();
  // Held until the end: undici keeps only a weak reference.
  const [session] = await ticket;
  resets = true;
  await t.throwsAsync(connected(), { code: 'ECONNRESET' });
  resets = false;
  const next = await connected();
  t.teardown(() => next.destroy());
  t.false(next.isSessionReused());
  t.truthy(session);
});
