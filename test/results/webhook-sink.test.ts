import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Webhook } from 'standardwebhooks';
import type { Batch } from '../../daemon/results/sink.ts';
import { guardedLookup } from '../../daemon/results/webhook/guarded-lookup.ts';
import { retryAfterMs } from '../../daemon/results/webhook/retry-after.ts';
import { bodyOf, signatureHeaders } from '../../daemon/results/webhook/standard-webhooks.ts';
import { WebhookSink } from '../../daemon/results/webhook/webhook-sink.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import type { Secret } from '../../daemon/secrets/secret.ts';
import { Consumer } from '../simulators/webhook/consumer.ts';
import { listening } from '../support/loopback.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const secretOf = () => `whsec_${randomBytes(32).toString('base64')}`;

/** A consumer in this process, and a sink that may post to it. */
async function stage(t: ExecutionContext) {
  const secret = secretOf();
  const consumer = new Consumer([secret]);
  const server = createServer((request, response) => void consumer.answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const timers = new VirtualClock();
  const current = JSON.stringify({ [host]: secret });
  const secrets: { current: string; accepted: string[]; renew: () => Promise<void> } = {
    current,
    accepted: [current],
    renew: async () => {},
  };
  const sink = new WebhookSink({
    rules: { secret: secrets, defaultHost: undefined, allowsLocal: true },
    clock: systemClock,
    timers,
  });
  t.teardown(() => {
    sink.close();
    server.close();
    server.closeAllConnections();
  });
  return { consumer, sink, host, timers, secrets, url: `http://${host}/calls` };
}

function batchOf(webhook: string, count = 1): Batch {
  const sessionId = randomUUID();
  const session = { sessionId, contactId: 'contact-1', contact: undefined, webhook, stream: 'none' as const };
  const events = Array.from({ length: count }, (_, index) => {
    const sequence = index + 1;
    const event = {
      version: 1,
      type: 'session.started',
      contactId: 'contact-1',
      sessionId,
      epoch: 1,
      at: new Date().toISOString(),
    };
    const json = { ...event, sequence, id: `${sessionId}_1_${sequence}`, startedAt: new Date().toISOString() };
    return { sequence, type: 'session.started', json: Buffer.from(JSON.stringify(json)) };
  });
  return { session, epoch: 1, id: `${sessionId}_1_1-${count}`, events };
}

test('a 2xx is delivered; the body has the events, and the signature verifies', async (t) => {
  const { consumer, sink, url } = await stage(t);
  const batch = batchOf(url, 3);
  t.deepEqual(await sink.deliver(batch), { name: 'delivered' });
  t.like(consumer.requests[0], { id: batch.id, isVerified: true, path: '/calls' });
  t.is(consumer.events.length, 3);
});

test('a retry has the same id and body, with the time and signature of the attempt', async (t) => {
  const { consumer, sink, url } = await stage(t);
  consumer.setRules([{ status: 500, headers: {}, delayMs: 0, hangs: false, resets: false, accepts: false, times: 1 }]);
  const batch = batchOf(url);
  t.deepEqual(await sink.deliver(batch), { name: 'retry', error: 'HTTP 500', afterMs: undefined, isRefused: false });
  t.deepEqual(await sink.deliver(batch), { name: 'delivered' });
  const [first, second] = consumer.requests;
  t.is(first?.text, second?.text);
  t.is(first?.id, second?.id);
});

test('the timestamp is that of the attempt: libraries refuse what is older than five minutes', (t) => {
  const secret = secretOf();
  const key = createSecretKey(secret.slice('whsec_'.length), 'base64');
  const body = bodyOf(batchOf('https://a.example/'), Date.now() - 3_600_000);
  const headers = signatureHeaders('id', body, [key], Date.now());
  t.notThrows(() => new Webhook(secret).verify(body.toString(), headers));
  t.throws(() =>
    new Webhook(secret).verify(body.toString(), signatureHeaders('id', body, [key], Date.now() - 301_000)),
  );
  for (let at = 0; at < body.length; at += 17) {
    const changed = Buffer.from(body);
    changed[at] = (changed[at] as number) ^ 1;
    t.throws(() => new Webhook(secret).verify(changed.toString('latin1'), headers));
  }
});

test('while the secret is changed, the one before signs too', async (t) => {
  const { consumer, sink, url, host, secrets } = await stage(t);
  const before = secrets.current;
  secrets.current = JSON.stringify({ [host]: secretOf() });
  secrets.accepted = [secrets.current, before];
  t.deepEqual(await sink.deliver(batchOf(url)), { name: 'delivered' });
  secrets.accepted = [secrets.current];
  t.like(await sink.deliver(batchOf(url)), { name: 'retry', error: 'HTTP 401' });
  t.deepEqual(
    consumer.requests.map(({ isVerified }) => isVerified),
    [true, false],
  );
});

test('a host that RESULTS_SECRET no longer lists is not posted to', async (t) => {
  const { consumer, sink, url, secrets } = await stage(t);
  const before = secrets.current;
  secrets.current = JSON.stringify({ 'other.example.com': secretOf() });
  secrets.accepted = [secrets.current, before];
  t.like(await sink.deliver(batchOf(url)), { name: 'retry' });
  t.is(consumer.requests.length, 0);
});

test('each answer has its meaning', async (t) => {
  const { consumer, sink, url } = await stage(t);
  const rule = { headers: {}, delayMs: 0, hangs: false, resets: false, accepts: false };
  const cases = [
    [{ status: 204 }, { name: 'delivered' }],
    [
      { status: 429, headers: { 'retry-after': '7' } },
      { name: 'retry', error: 'HTTP 429', afterMs: 7000, isRefused: false },
    ],
    [{ status: 503 }, { name: 'retry', error: 'HTTP 503', isRefused: false }],
    [{ status: 404 }, { name: 'retry', error: 'HTTP 404', isRefused: true }],
    [{ status: 410 }, { name: 'given-up', error: 'HTTP 410' }],
    [{ status: 413 }, { name: 'too-large', error: 'HTTP 413' }],
    [
      { status: 301, headers: { location: '/elsewhere' } },
      { name: 'retry', error: 'HTTP 301: redirects are not followed' },
    ],
    [
      { status: 302, headers: { 'retry-after': '9' } },
      { name: 'retry', afterMs: 9000 },
    ],
    [{ status: 307, headers: { location: 'http://169.254.169.254/' } }, { name: 'retry' }],
    [{ status: 200, resets: true }, { name: 'retry' }],
  ] as const;
  for (const [answer, delivery] of cases) {
    consumer.setRules([{ ...rule, ...answer }]);
    t.like(await sink.deliver(batchOf(url)), delivery);
  }
  t.true(consumer.requests.every(({ path }) => path === '/calls'));
});

test('no answer within 15 s is a failed attempt', async (t) => {
  const { consumer, sink, url, timers } = await stage(t);
  consumer.setRules([{ status: 200, headers: {}, delayMs: 0, hangs: true, resets: false, accepts: false }]);
  const delivering = sink.deliver(batchOf(url));
  while (consumer.requests.length === 0) await timers.settle();
  await timers.advance(14_999);
  t.is(await Promise.race([delivering, 'waiting']), 'waiting');
  await timers.advance(1);
  t.deepEqual(await delivering, { name: 'retry', error: 'no answer within 15000 ms' });
});

test('more requests than connections: the rest wait, and a consumer that hangs loses none of either', async (t) => {
  const { consumer, sink, url, timers } = await stage(t);
  const rule = { status: 200, headers: {}, delayMs: 0, hangs: true, resets: false, accepts: false };
  consumer.setRules([{ ...rule, times: 256 }]);
  const batches = Array.from({ length: 300 }, () => batchOf(url));
  const delivering = batches.map((batch) => sink.deliver(batch));
  while (consumer.requests.length < 256) await timers.settle();
  await timers.advance(14_999);
  t.is(consumer.requests.length, 256);
  await timers.advance(1);
  const deliveries = await Promise.all(delivering);
  t.deepEqual(Object.groupBy(deliveries, ({ name }) => name).retry?.length, 256);
  t.true(deliveries.slice(256).every(({ name }) => name === 'delivered'));
  // Each was sent once: none of an attempt that was over.
  t.is(new Set(consumer.requests.map(({ id }) => id)).size, 300);
  t.is(consumer.requests.length, 300);
  for (const delivery of await Promise.all(batches.slice(0, 256).map((batch) => sink.deliver(batch)))) {
    t.deepEqual(delivery, { name: 'delivered' });
  }
  t.is(timers.pending, 0);
});

test('connections are kept; one that the consumer just closed costs no attempt', async (t) => {
  const { consumer, sink, url, timers } = await stage(t);
  for (let nth = 0; nth < 9; nth++) t.deepEqual(await sink.deliver(batchOf(url)), { name: 'delivered' });
  t.is(new Set(consumer.requests.map(({ connection }) => connection)).size, 1);
  consumer.setRules([{ status: 200, times: 1, headers: {}, delayMs: 0, hangs: false, resets: true, accepts: false }]);
  t.deepEqual(await sink.deliver(batchOf(url)), { name: 'delivered' });
  t.is(timers.pending, 0);
});

test('the status counts, whatever comes before it or of the body after it', async (t) => {
  const secret = secretOf();
  const cases = [
    ['HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', { name: 'delivered' }],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', { name: 'delivered' }],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\n\r\n', { name: 'retry', error: 'HTTP 500' }],
    ['HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it', { name: 'delivered' }],
    ['HTTP/1.1 500 No\r\ncontent-length: 100\r\n\r\nhalf of it', { name: 'retry', error: 'HTTP 500' }],
    ['HTTP/1.1 2', { name: 'retry' }],
    ['not HTTP at all\r\n\r\n', { name: 'retry' }],
  ] as const;
  let answer: string = cases[0][0];
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const current = JSON.stringify({ [host]: secret });
  const rules = { secret: { current, accepted: [current], renew: async () => {} }, defaultHost: undefined };
  const sink = new WebhookSink({
    rules: { ...rules, allowsLocal: true },
    clock: systemClock,
    timers: new VirtualClock(),
  });
  t.teardown(() => {
    sink.close();
    server.close();
  });
  for (const [text, delivery] of cases) {
    answer = text;
    t.like(await sink.deliver(batchOf(`http://${host}/calls`)), delivery, text);
  }
});

test('an endless answer is cut off', async (t) => {
  const secret = secretOf();
  const server = createServer((_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (response.write(Buffer.alloc(16_384)));
    };
    response.on('drain', more);
    more();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const all: Secret = {
    current: JSON.stringify({ [host]: secret }),
    accepted: [JSON.stringify({ [host]: secret })],
    renew: async () => {},
  };
  const sink = new WebhookSink({
    rules: { secret: all, defaultHost: undefined, allowsLocal: true },
    clock: systemClock,
    // Its time limit never comes.
    timers: new VirtualClock(),
  });
  const closed = new Promise((resolve) => {
    server.once('connection', (socket) => socket.on('error', () => {}).once('close', resolve));
  });
  t.deepEqual(await sink.deliver(batchOf(`http://${host}/`)), { name: 'delivered' });
  await closed;
  sink.close();
  server.close();
  t.pass();
});

test('an answer whose body does not end holds up the next request for a second, not for 15', async (t) => {
  for (const status of ['200 OK', '503 No']) {
    const answered = Promise.withResolvers<void>();
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(`HTTP/1.1 ${status}\r\n\r\nmore comes`));
    });
    const host = `127.0.0.1:${await listening(t, server)}`;
    const current = JSON.stringify({ [host]: secretOf() });
    const rules = { secret: { current, accepted: [current], renew: async () => {} }, defaultHost: undefined };
    const timers = new VirtualClock();
    const after = (ms: number, task: () => void) => {
      // The time limit of the request is replaced by that of the body.
      if (ms < 15_000) answered.resolve();
      return timers.after(ms, task);
    };
    const watched = { now: timers.now, after };
    const sink = new WebhookSink({ rules: { ...rules, allowsLocal: true }, clock: systemClock, timers: watched });
    const delivering = sink.deliver(batchOf(`http://${host}/`));
    await answered.promise;
    await timers.advance(1000);
    t.like(await delivering, status === '200 OK' ? { name: 'delivered' } : { name: 'retry', error: 'HTTP 503' });
    t.is(timers.pending, 0);
    sink.close();
  }
});

test('nothing is sent to a name or an address of this host', async (t) => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const hosts = ['hooks.example.com', '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'].map(
    (host) => `${host}:${port}`,
  );
  const urls = hosts.map((host) => `https://${host}/`);
  const keys = JSON.stringify(Object.fromEntries(urls.map((url) => [new URL(url).host, secretOf()])));
  const secret: Secret = { current: keys, accepted: [keys], renew: async () => {} };
  const lookup = guardedLookup((_hostname, _options, callback) =>
    callback(null, [{ address: '127.0.0.1', family: 4 } satisfies LookupAddress]),
  );
  const sink = new WebhookSink({
    rules: { secret, defaultHost: undefined, allowsLocal: false },
    clock: systemClock,
    timers: systemClock,
    lookup,
  });
  t.like(await sink.deliver(batchOf(urls[0] as string)), {
    name: 'retry',
    error: 'hooks.example.com is not posted to: 127.0.0.1 is loopback, link-local, multicast or reserved',
  });
  for (const url of urls.slice(1)) t.like(await sink.deliver(batchOf(url)), { name: 'given-up' }, url);
  t.is(connections, 0);
  sink.close();
});

test('Retry-After is seconds or a date', (t) => {
  const now = Date.UTC(2026, 0, 1);
  t.is(retryAfterMs('120', now), 120_000);
  t.is(retryAfterMs(new Date(now + 5000).toUTCString(), now), 5000);
  t.is(retryAfterMs(new Date(now - 5000).toUTCString(), now), 0);
  t.is(retryAfterMs('999999999999', now), 24 * 3_600_000);
  t.is(retryAfterMs('-5', now), 0);
  for (const wrong of [undefined, 'soon', '']) t.is(retryAfterMs(wrong, now), undefined);
});
