import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import anyTest from 'ava';
import { connectTls } from '../../daemon/runtime/tls.ts';
import { identityAt, makeCertificates, type TlsIdentity } from '../load/certificates.ts';
import { listening } from '../support/loopback.ts';
import { needs } from '../support/tools.ts';

const test = needs(anyTest, 'openssl');
let trusted: TlsIdentity | undefined;
let untrusted: TlsIdentity | undefined;

test.before(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-tls-'));
  const certificates = await makeCertificates(directory);
  // What NODE_EXTRA_CA_CERTS does for a daemon, before anything is connected to.
  setDefaultCACertificates([...getCACertificates(), await readFile(certificates.caPath, 'utf8')]);
  trusted = identityAt(certificates);
  await makeCertificates(directory);
  untrusted = identityAt(certificates);
  await rm(directory, { recursive: true });
});

async function serving(t: { teardown(end: () => void): void }, identity = trusted) {
  const server = createServer({ ...identity, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('error', () => {});
    socket.resume();
  });
  server.on('tlsClientError', () => {});
  return { server, port: await listening(t, server) };
}

/** A connection, once there is a session that another may resume. */
async function connected(t: { teardown(end: () => void): void }, port: number): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port });
  t.teardown(() => socket.destroy());
  const ticket = once(socket, 'session');
  await once(socket, 'secureConnect');
  socket.resume();
  // One that resumes a session has one already.
  if (!socket.isSessionReused()) await ticket;
  return socket;
}

test('a later connection to a peer resumes the session of an earlier one, and is verified and encrypted all the same', async (t) => {
  const { port } = await serving(t);
  t.false((await connected(t, port)).isSessionReused());
  const later = await connected(t, port);
  t.true(later.isSessionReused());
  t.true(later.authorized);
  t.is(later.alpnProtocol, 'http/1.1');
});

test('a peer that has forgotten the session is connected to without it', async (t) => {
  const { server, port } = await serving(t);
  await connected(t, port);
  server.setTicketKeys(Buffer.alloc(48, 7));
  t.false((await connected(t, port)).isSessionReused());
});

test('a session whose resumption a middlebox resets is not offered again', async (t) => {
  const { server } = await serving(t);
  let resets = false;
  const middlebox = createTcpServer((socket) => {
    if (resets) socket.resetAndDestroy();
    else server.emit('connection', socket);
  });
  const port = await listening(t, middlebox);
  await connected(t, port);
  resets = true;
  const socket = connectTls({ host: '127.0.0.1', port });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await t.throwsAsync(once(socket, 'secureConnect'));
  await closed;
  resets = false;
  t.false((await connected(t, port)).isSessionReused());
});

test('a session is for the peer that gave it: another port of the same host starts without one', async (t) => {
  const [one, other] = [await serving(t), await serving(t)];
  await connected(t, one.port);
  t.false((await connected(t, other.port)).isSessionReused());
});

test('a peer whose certificate has no trusted issuer is refused', async (t) => {
  const { port } = await serving(t, untrusted);
  const socket = connectTls({ host: '127.0.0.1', port });
  await t.throwsAsync(once(socket, 'secureConnect'), { message: /unable to verify|self-signed/ });
});

test('a peer that is not who it should be is refused each time: nothing of the first time is resumed', async (t) => {
  const { port } = await serving(t);
  for (let i = 0; i < 2; i++) {
    const socket = connectTls({ host: 'localhost', port });
    await t.throwsAsync(once(socket, 'secureConnect'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  }
});
