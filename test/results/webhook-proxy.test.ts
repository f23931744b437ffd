/** Webhooks through a proxy: names are resolved there, and the rules about addresses still hold. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import anyTest, { type ExecutionContext } from 'ava';
import type { Batch } from '../../daemon/results/sink.ts';
import { guardedLookup } from '../../daemon/results/webhook/guarded-lookup.ts';
import { WebhookSink } from '../../daemon/results/webhook/webhook-sink.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { Egress } from '../../daemon/runtime/egress.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import type { TlsIdentity } from '../load/certificates.ts';
import { ProxyControl } from '../simulators/proxy/client.ts';
import { ConnectProxy } from '../simulators/proxy/proxy.ts';
import { Consumer } from '../simulators/webhook/consumer.ts';
import { listening } from '../support/loopback.ts';
import { needs } from '../support/tools.ts';
import { trustedIdentity } from '../support/trusted-identity.ts';

const test = needs(anyTest, 'openssl');
/** Only the proxy can resolve it. */
const HOOKS = 'hooks.proxy.test';
let identity: TlsIdentity | undefined;

test.before(async () => {
  identity = await trustedIdentity(HOOKS);
});

/** A consumer with TLS that only the proxy leads to, and a sink behind the proxy. */
async function stage(t: ExecutionContext, noProxy = '') {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const consumer = new Consumer([secret]);
  const answer = createSecureServer(identity ?? {}, (request, response) => void consumer.answer(request, response));
  const port = await listening(t, answer);
  const proxyServer = createServer();
  new ConnectProxy(proxyServer, undefined);
  const proxyUrl = `http://127.0.0.1:${await listening(t, proxyServer)}`;
  const proxy = new ProxyControl(proxyUrl);
  const looked: string[] = [];
  const lookup = guardedLookup((hostname, _options, callback) => {
    looked.push(hostname);
    callback(null, [{ address: '127.0.0.1', family: 4 }]);
  });
  const hosts = [HOOKS, '127.0.0.1', '169.254.169.254', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', 'localhost'];
  const keys = Object.fromEntries(hosts.map((host) => [`${host}:${port}`, secret]));
  const sink = new WebhookSink({
    rules: { secret: fixedSecret(JSON.stringify(keys)), defaultHost: undefined, allowsLocal: false },
    clock: systemClock,
    timers: systemClock,
    egress: new Egress({ url: proxyUrl, noProxy }),
    lookup,
  });
  t.teardown(() => sink.close());
  return { consumer, proxy, proxyName: new URL(proxyUrl).host, sink, looked, port, url: `https://${HOOKS}:${port}/x` };
}

function batchFor(webhook: string): Batch {
  const sessionId = randomUUID();
  const [contactId, at] = [randomUUID(), new Date().toISOString()];
  const event = { version: 1, type: 'session.started', contactId, sessionId, epoch: 1, at, startedAt: at };
  const json = Buffer.from(JSON.stringify({ ...event, sequence: 1, id: `${sessionId}_1_1` }));
  const session = { sessionId, contactId, contact: undefined, webhook, stream: 'none' as const };
  return { session, epoch: 1, id: `${sessionId}_1_1-1`, events: [{ sequence: 1, type: 'session.started', json }] };
}

test('events go through the proxy by TLS end to end, on a kept tunnel, and the name is resolved there', async (t) => {
  const { consumer, proxy, sink, looked, url } = await stage(t);
  t.deepEqual(await sink.deliver(batchFor(url)), { name: 'delivered' });
  t.deepEqual(await sink.deliver(batchFor(url)), { name: 'delivered' });
  t.deepEqual(
    consumer.requests.map(({ isVerified }) => isVerified),
    [true, true],
  );
  const { tunnels, plainRequests } = await proxy.facts();
  t.true(tunnels.length <= 2);
  t.true(tunnels.every(({ host, firstByte }) => host === HOOKS && firstByte === 22));
  t.deepEqual(plainRequests, []);
  t.deepEqual(looked, []);
});

test('a host in NO_PROXY is connected to directly, with its addresses checked', async (t) => {
  const { proxy, sink, looked, url } = await stage(t, HOOKS);
  t.like(await sink.deliver(batchFor(url)), {
    name: 'retry',
    error: `${HOOKS} is not posted to: 127.0.0.1 is loopback, link-local, multicast or reserved`,
  });
  t.deepEqual(looked, [HOOKS]);
  t.deepEqual((await proxy.facts()).tunnels, []);
});

test('no tunnel to a forbidden literal address or to this host is requested from a proxy', async (t) => {
  const { consumer, proxy, sink, port } = await stage(t);
  for (const host of ['127.0.0.1', '169.254.169.254', '[::ffff:169.254.169.254]', '[fd00:ec2::254]', 'localhost'])
    t.like(await sink.deliver(batchFor(`https://${host}:${port}/`)), { name: 'given-up' }, host);
  t.deepEqual((await proxy.facts()).tunnels, []);
  t.deepEqual(consumer.requests, []);
});

test('a proxy that refuses or resets is named, and the events are tried again', async (t) => {
  const { consumer, proxy, proxyName, sink, url, port } = await stage(t);
  const batch = batchFor(url);
  await proxy.order({ host: HOOKS, action: 'refuse', status: 407 });
  t.deepEqual(await sink.deliver(batch), {
    name: 'retry',
    error: `the proxy ${proxyName} refused a tunnel to ${HOOKS}:${port}: HTTP 407, check the credentials in HTTPS_PROXY`,
  });
  // Only a connection that was kept is opened once more at once.
  await proxy.order({ host: HOOKS, action: 'reset', times: 1 });
  const reset = await sink.deliver(batch);
  t.is(reset.name, 'retry');
  t.regex(JSON.stringify(reset), new RegExp(`the proxy ${proxyName} cannot be reached`));
  t.deepEqual(await sink.deliver(batch), { name: 'delivered' });
  t.is(consumer.requests.length, 1);
});
