import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { WebSocketServer } from 'ws';
import { DeepgramRefused, DeepgramUnreachable } from '../../daemon/deepgram/errors.ts';
import { openSocket } from '../../daemon/deepgram/socket.ts';
import { fixedSecret, type Secret } from '../../daemon/secrets/secret.ts';
import { NOWHERE } from '../support/loopback.ts';

const EVENTS = { onMessage: () => {}, onPong: () => {}, onTaken: () => {} };

/** A server that refuses each handshake with 401, or never answers; `keys` are those it received. */
async function refusing(t: ExecutionContext, { answers = true } = {}) {
  const keys: (string | undefined)[] = [];
  const server = createServer();
  server.on('upgrade', ({ headers }, socket) => {
    keys.push(headers.authorization);
    socket.on('error', () => {});
    if (answers) socket.end('HTTP/1.1 401 Unauthorized\r\ndg-request-id: request-1\r\ndg-error: Invalid key\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { keys, baseUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A key that changes when it is renewed. */
function changedKey(current: string, next: string): Secret {
  const key = {
    current,
    accepted: [current],
    renew: async () => {
      key.current = next;
    },
  };
  return key;
}

test('a refusal carries its details; an unchanged key is not tried twice', async (t) => {
  const { keys, baseUrl } = await refusing(t);
  const opening = openSocket({ baseUrl, key: fixedSecret('one') }, {}, EVENTS, new AbortController().signal);
  const error = await t.throwsAsync(opening, { instanceOf: DeepgramRefused });
  t.like(error, { status: 401, requestId: 'request-1', dgError: 'Invalid key', retryable: false });
  t.deepEqual(keys, ['Token one']);
});

test('a key that has changed meanwhile is tried once more', async (t) => {
  const { keys, baseUrl } = await refusing(t);
  const key = changedKey('one', 'two');
  await t.throwsAsync(openSocket({ baseUrl, key }, {}, EVENTS, new AbortController().signal), {
    instanceOf: DeepgramRefused,
  });
  t.deepEqual(keys, ['Token one', 'Token two']);
});

test('an abort during the key’s renewal, or during the handshake, rejects with its reason', async (t) => {
  const attempt = new AbortController();
  const reason = new Error('too late');
  const renewing = { current: 'one', accepted: ['one'], renew: () => new Promise<void>(() => attempt.abort(reason)) };
  const { keys, baseUrl } = await refusing(t);
  t.is<unknown, unknown>(
    await t.throwsAsync(openSocket({ baseUrl, key: renewing }, {}, EVENTS, attempt.signal)),
    reason,
  );
  t.is(keys.length, 1);

  const silent = await refusing(t, { answers: false });
  const another = new AbortController();
  const opening = openSocket({ baseUrl: silent.baseUrl, key: fixedSecret('one') }, {}, EVENTS, another.signal);
  setImmediate(() => another.abort(reason));
  t.is<unknown, unknown>(await t.throwsAsync(opening), reason);
});

test('a refused connection is DeepgramUnreachable', async (t) => {
  const settings = { baseUrl: `ws://${NOWHERE}`, key: fixedSecret('one') };
  await t.throwsAsync(openSocket(settings, {}, EVENTS, new AbortController().signal), {
    instanceOf: DeepgramUnreachable,
  });
});

test('only a pong that answers a ping of ours has its mark', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.teardown(() => server.close());
  const payloads = ['heartbeat', '', '12', '1e9', 'Infinity', '-1', '0x10', '00000000001234567890'];
  server.on('connection', (peer) => {
    for (const payload of payloads) peer.pong(payload);
  });
  const marks: number[] = [];
  const answered = Promise.withResolvers<void>();
  const onPong = (mark: number) => {
    marks.push(mark);
    if (marks.length > payloads.length) answered.resolve();
  };
  const baseUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = { baseUrl, key: fixedSecret('one') };
  const socket = await openSocket(settings, {}, { ...EVENTS, onPong }, new AbortController().signal);
  socket.ping(64_000);
  await answered.promise;
  socket.terminate();
  t.deepEqual(marks, [...payloads.map(() => Number.NaN), 64_000]);
});

test('many pings at once end no connection; the latest of them is answered, and so is a later one', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.teardown(() => server.close());
  const pongs: string[] = [];
  const answered = Promise.withResolvers<void>();
  server.on('connection', (peer) => {
    for (let nth = 1; nth <= 200; nth++) peer.ping(String(nth));
    peer.on('pong', (payload) => {
      pongs.push(String(payload));
      if (pongs.at(-1) === '200') peer.ping('later');
      if (pongs.at(-1) === 'later') answered.resolve();
    });
    peer.on('close', () => answered.reject(new Error('the connection ended')));
  });
  const baseUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = { baseUrl, key: fixedSecret('one') };
  const socket = await openSocket(settings, {}, EVENTS, new AbortController().signal);
  await t.notThrowsAsync(answered.promise);
  socket.terminate();
  t.true(pongs.length < 200, 'not each of them');
});
