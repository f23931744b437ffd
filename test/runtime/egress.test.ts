import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createServer as createTcpServer, type LookupFunction, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import anyTest, { type ExecutionContext } from 'ava';
import { Egress, ProxyFailed, proxySecrets } from '../../daemon/runtime/egress.ts';
import type { TlsIdentity } from '../load/certificates.ts';
import { ConnectProxy } from '../simulators/proxy/proxy.ts';
import { listening, NOWHERE } from '../support/loopback.ts';
import { needs } from '../support/tools.ts';
import { trustedIdentity } from '../support/trusted-identity.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const test = needs(anyTest, 'openssl');
const NAME = 'server.egress.test';
let identity: TlsIdentity | undefined;

test.before(async () => {
  identity = await trustedIdentity(NAME);
});

const lookup: LookupFunction = (_name, _options, callback) => callback(new Error('looked up'), []);

/** A TLS server that greets, behind a proxy. */
async function behindProxy(t: ExecutionContext, credentials?: string) {
  const server = createTlsServer({ ...identity, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'));
  });
  server.on('tlsClientError', () => {});
  const port = await listening(t, server);
  const proxyServer = createServer();
  new ConnectProxy(proxyServer, credentials);
  const proxyPort = await listening(t, proxyServer);
  const order = (body: object) =>
    fetch(`http://127.0.0.1:${proxyPort}/simulator/orders`, {
      method: 'POST',
      body: JSON.stringify({ host: NAME, ...body }),
    });
  return { port, proxyPort, order, peer: { host: NAME, port } };
}

function tunnel(egress: Egress, peer: { host: string; port: number }, timeoutMs?: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    egress.tunnelTls(peer, (error, socket) => (error ? reject(error) : resolve(socket as TLSSocket)), timeoutMs);
  });
}

test('TLS goes through a tunnel end to end, verified, and resumes its session', async (t) => {
  const { proxyPort, peer } = await behindProxy(t, 'user:pass:word');
  const egress = new Egress({ url: `http://user:pass%3Aword@127.0.0.1:${proxyPort}`, noProxy: '' });
  const first = await tunnel(egress, peer);
  t.true(first.authorized);
  t.is(first.alpnProtocol, 'http/1.1');
  const ticket = once(first, 'session');
  first.write('hello');
  t.regex(String(await once(first, 'data')), /hi$/);
  await ticket;
  first.destroy();
  const second = await tunnel(egress, peer);
  t.true(second.isSessionReused());
  second.destroy();
});

test('an agent sends requests through the proxy, and past it where NO_PROXY says so', async (t) => {
  const { proxyPort, port, order } = await behindProxy(t);
  const settings = { url: `http://127.0.0.1:${proxyPort}`, noProxy: '' };
  const get = async (egress: Egress, host: string) => {
    const call = request({ host, port, path: '/', agent: egress.agent(), servername: NAME, lookup });
    call.end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  t.is(await get(new Egress(settings), NAME), 200);
  // Only who connects directly resolves the name.
  await t.throwsAsync(get(new Egress({ ...settings, noProxy: '.egress.test' }), NAME), { message: 'looked up' });
  // The loopback interface needs no proxy.
  await order({ action: 'refuse', host: '127.0.0.1' });
  t.is(await get(new Egress(settings), '127.0.0.1'), 200);
});

for (const [status, hint] of [
  [403, 'it does not allow this host or port'],
  [407, 'check the credentials in HTTPS_PROXY'],
  [503, ''],
] as const) {
  test(`a proxy that answers ${status} is named, and its page is not`, async (t) => {
    const { proxyPort, peer, order } = await behindProxy(t);
    await order({ action: 'refuse', status });
    const egress = new Egress({ url: `http://secret-user:secret-pass@127.0.0.1:${proxyPort}`, noProxy: '' });
    const error = await t.throwsAsync(tunnel(egress, peer), { instanceOf: ProxyFailed });
    t.true(
      error?.message.startsWith(
        `the proxy 127.0.0.1:${proxyPort} refused a tunnel to ${NAME}:${peer.port}: HTTP ${status}`,
      ),
    );
    t.true(error?.message.endsWith(hint));
    t.notRegex(`${error?.message} ${error?.stack} ${error?.cause}`, /secret-|html/);
  });
}

test('a proxy where nothing listens, one that resets and one that hangs up cannot be reached', async (t) => {
  const peer = { host: NAME, port: 443 };
  const refused = tunnel(new Egress({ url: `http://${NOWHERE}`, noProxy: '' }), peer);
  await t.throwsAsync(refused, {
    code: 'ECONNREFUSED',
    message: new RegExp(`^the proxy ${NOWHERE} cannot be reached`),
  });
  for (const hangUp of [(socket: Socket) => socket.resetAndDestroy(), (socket: Socket) => socket.destroy()]) {
    const server = createTcpServer((socket) => socket.once('data', () => hangUp(socket)));
    const egress = new Egress({ url: `http://127.0.0.1:${await listening(t, server)}`, noProxy: '' });
    await t.throwsAsync(tunnel(egress, peer), { instanceOf: ProxyFailed, message: /^the proxy \S+ cannot be reached/ });
  }
});

test('a tunnel that closes before TLS is established fails as such', async (t) => {
  const { proxyPort, peer, order } = await behindProxy(t);
  await order({ action: 'drop' });
  const egress = new Egress({ url: `http://127.0.0.1:${proxyPort}`, noProxy: '' });
  await t.throwsAsync(tunnel(egress, peer), { instanceOf: ProxyFailed, message: /proxy 127\.0\.0\.1/ });
});

test('a certificate that is not trusted is refused through a proxy too', async (t) => {
  const { proxyPort, peer } = await behindProxy(t);
  const egress = new Egress({ url: `http://127.0.0.1:${proxyPort}`, noProxy: '' });
  const failed = tunnel(egress, { ...peer, host: 'other.egress.test' });
  await t.throwsAsync(failed, {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    message: /^TLS with other.egress.test:\d+ through the proxy/,
  });
});

test('a proxy that does not answer is given up in time, and its connection closed', async (t) => {
  const clock = new VirtualClock();
  const accepted = Promise.withResolvers<Socket>();
  const port = await listening(
    t,
    createTcpServer((socket) => accepted.resolve(socket.resume())),
  );
  const egress = new Egress({ url: `http://127.0.0.1:${port}`, noProxy: '' }, clock);
  const failed = t.throwsAsync(tunnel(egress, { host: NAME, port: 443 }, 5000), {
    message: /no tunnel to \S+ within 5000 ms/,
  });
  const socket = await accepted.promise;
  await clock.advance(5000);
  await failed;
  if (!socket.closed) await once(socket, 'close');
  t.is(clock.pending, 0);
});

test('the secrets of a proxy’s URL are its password, plain and encoded, and the header made of it', (t) => {
  t.deepEqual(proxySecrets(undefined), []);
  t.deepEqual(proxySecrets('http://proxy.test:3128'), []);
  const basic = Buffer.from('user:p@ss').toString('base64');
  t.deepEqual(proxySecrets('http://user:p%40ss@proxy.test'), ['p@ss', 'p%40ss', basic]);
  t.true(proxySecrets('http://token@proxy.test').includes('token'));
});
