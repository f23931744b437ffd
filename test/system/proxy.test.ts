import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { identityAt, makeCertificates } from '../load/certificates.ts';
import { s3Server } from '../results/s3-server.ts';
import { DataStreamsControl } from '../simulators/kinesis-data-streams/client.ts';
import { ProxyControl } from '../simulators/proxy/client.ts';
import { WebhookControl } from '../simulators/webhook/client.ts';
import { Program } from '../support/process.ts';
import { TlsTerminator } from '../support/tls-terminator.ts';
import { needs } from '../support/tools.ts';
import { ask } from './control.ts';
import { channel, REGION, Simulators, Stage } from './stage.ts';

const test = needs(anyTest, 'openssl');
/** Only the proxy can resolve them. */
const DEEPGRAM = 'deepgram.test';
const KINESIS = 'kinesis.aws.test';
const HOOKS = 'hooks.test';
const STREAMS = 'kinesis-streams.aws.test';
const LETTERS = 's3.aws.test';
const NAMES = [DEEPGRAM, KINESIS, HOOKS, STREAMS, LETTERS];
const CREDENTIALS = 'integratord:pass word-of-the-proxy';
const SECONDS = 6;
/** Of a call that its test ends. */
const LONG_SECONDS = 120;

/** Of all stages: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators(['--data-endpoint-scheme', 'https']);
test.after.always(() => simulators.stop());

type Env = Record<string, string>;
/** Puts TLS before a server; returns its URL under a name that only the proxy knows. */
type Via = (name: string) => (url: string) => Promise<string>;

/** A daemon that reaches Deepgram and Kinesis Video by TLS, under names that only its proxy knows. */
async function behindProxy(t: ExecutionContext, env: Env | ((via: Via) => Promise<Env>) = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-proxy-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const certificates = await makeCertificates(
    directory,
    NAMES.map((name) => `DNS:${name}`),
  );
  const identity = identityAt(certificates);
  if (!identity) throw new Error('no certificate was made');
  const socketPath = join(directory, 'control');
  const program = new Program('test/simulators/proxy/main.ts', ['--credentials', CREDENTIALS]);
  t.teardown(() => program.stop('SIGKILL'));
  const proxyUrl = new URL(await program.listening());
  const via: Via = (name) => async (url) => {
    const terminator = await TlsTerminator.before(url, identity);
    t.teardown(() => terminator.close());
    return `https://${name}:${terminator.port}`;
  };
  const proxy = new ProxyControl(proxyUrl.href);
  [proxyUrl.username, proxyUrl.password] = CREDENTIALS.split(':') as [string, string];
  const more = typeof env === 'function' ? await env(via) : env;
  const stage = await Stage.open({
    simulators,
    kinesisVia: via(KINESIS),
    deepgramVia: via(DEEPGRAM),
    env: { NODE_EXTRA_CA_CERTS: certificates.caPath, HTTPS_PROXY: proxyUrl.href, CONTROL_SOCKET: socketPath, ...more },
  });
  t.teardown(() => stage.close());
  return {
    stage,
    proxy,
    proxyName: proxyUrl.host,
    ask: (method: string, path: string) => ask(socketPath, method, path),
  };
}

/** A call, put on its stream in real time. */
async function call(stage: Stage, seconds = SECONDS) {
  const customer = distinctSamples(seconds * 8000, 1);
  const agent = distinctSamples(seconds * 8000, 2);
  const request = await stage.call({ customer: bytesOf(customer), agent: bytesOf(agent) });
  return { request, customer, agent };
}

test('a whole call goes through the proxy, by TLS end to end, and nothing else does', async (t) => {
  const { stage, proxy } = await behindProxy(t, {
    // What Node itself would take from these must not catch the metadata service or plain HTTP.
    NODE_USE_ENV_PROXY: '1',
    HTTP_PROXY: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
    AWS_EC2_METADATA_DISABLED: 'false',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: await metadata(t),
  });
  const { request, customer, agent } = await call(stage);
  const { ended, audio } = await stage.transcribe(request);
  t.like(ended, { outcome: 'completed', gapMs: 0, reconnects: 0, unsentMs: 0, unfinishedMs: 0 });
  t.is(difference(channel(audio, 0), customer), 'the same');
  t.is(difference(channel(audio, 1), agent), 'the same');
  const { tunnels, plainRequests } = await proxy.facts();
  // The last one is the daemon's request about its instance, which this proxy cannot forward.
  const hosts = [DEEPGRAM, KINESIS, `autoscaling.${REGION}.amazonaws.com`];
  t.deepEqual([...new Set(tunnels.map(({ host }) => host))].sort(), hosts.toSorted());
  const ours = tunnels.filter(({ host }) => host !== hosts[2]);
  t.true(ours.every(({ status, firstByte }) => status === 200 && firstByte === 22));
  t.deepEqual(plainRequests, []);
  // GetMedia and Deepgram end with the call; the connection for GetDataEndpoint is kept.
  t.true(ours.filter(({ open }) => open).length <= 1);
});

test('a call outlives its tunnels, and a proxy that refuses, resets and is slow', async (t) => {
  const { stage, proxy, proxyName } = await behindProxy(t);
  const { request, customer } = await call(stage, LONG_SECONDS);
  t.is((await stage.start(request)).status, 200);
  await stage.deepgramHas(request.contactId, 1000);
  await proxy.order({ host: DEEPGRAM, action: 'refuse', status: 407 });
  await proxy.order({ host: DEEPGRAM, action: 'reset' });
  await proxy.order({ host: DEEPGRAM, action: 'drop' });
  await proxy.order({ host: DEEPGRAM, delayMs: 500 });
  await proxy.order({ host: KINESIS, action: 'refuse' });
  await proxy.cut();
  for (const back of ['deepgram.reconnected', 'kinesis.resumed']) {
    await stage.daemon.line(({ event }) => event === back);
  }
  const { bytes } = await stage.hangUp(request.contactId);
  t.like(await stage.ended(request.contactId), { outcome: 'completed', gapMs: 0, unsentMs: 0, unfinishedMs: 0 });
  const connections = await stage.closed(request.contactId);
  t.is(connections.length, 2);
  const [first, second] = await Promise.all(connections.map(({ requestId }) => stage.deepgram.audio(requestId)));
  const offset = Number(/offset_ms:(\d+)/.exec(JSON.stringify(connections[1]?.query))?.[1]);
  const whole = Buffer.concat([(first as Buffer).subarray(0, offset * 32), second as Buffer]);
  t.is(difference(channel(whole, 0), customer.subarray(0, bytes.customer / 2)), 'the same');
  const errors = stage.daemon.lines.map(({ error }) => String(error)).filter((error) => error.includes('proxy'));
  t.true(errors.some((error) => error.includes(`the proxy ${proxyName} refused a tunnel to ${DEEPGRAM}`)));
  t.true(errors.some((error) => error.includes('HTTP 407, check the credentials in HTTPS_PROXY')));
  t.true(errors.some((error) => error.includes(`the proxy ${proxyName} refused a tunnel to ${KINESIS}`)));
});

test('the proxy is shown without its credentials and checked, and a start that it refuses says so', async (t) => {
  const { stage, proxy, proxyName, ask } = await behindProxy(t);
  const {
    body: { settings },
  } = await ask('GET', '/v1/config');
  t.is(settings.HTTPS_PROXY, `http://***@${proxyName}`);
  const isProxy = ({ name }: { name: string }) => name === 'egress proxy';
  const { body: healthy } = await ask('POST', '/v1/doctor');
  t.like(healthy.checks.find(isProxy), { verdict: 'ok' });
  await proxy.order({ host: DEEPGRAM, action: 'refuse', status: 403, times: 3 });
  const { request } = await call(stage);
  const refused = await stage.start(request);
  t.is(refused.status, 503);
  const reason = new RegExp(`the proxy ${proxyName} refused a tunnel to ${DEEPGRAM}:\\d+: HTTP 403`);
  t.regex(JSON.stringify(refused.body), reason);
  const { body: ill } = await ask('POST', '/v1/doctor');
  t.like(ill.checks.find(isProxy), { verdict: 'fail' });
  t.regex(ill.checks.find(isProxy).detail, reason);
});

test('results go through the proxy: to the webhook, to the data stream, and to the dead letters in S3', async (t) => {
  const secret = `whsec_${Buffer.alloc(32, 'proxy').toString('base64')}`;
  const consumer = new Program('test/simulators/webhook/main.ts', ['--secret', secret]);
  const dataStreams = new Program('test/simulators/kinesis-data-streams/main.ts');
  for (const program of [consumer, dataStreams]) t.teardown(() => program.stop('SIGKILL'));
  const webhook = new WebhookControl(await consumer.listening());
  const stream = new DataStreamsControl(await dataStreams.listening());
  const bucket = await s3Server();
  t.teardown(bucket.close);
  const { stage, proxy, ask } = await behindProxy(t, async (via) => {
    const hook = await via(HOOKS)(webhook.url);
    return {
      RESULTS_WEBHOOK: `${hook}/calls`,
      RESULTS_SECRET: secret,
      RESULTS_STREAM: await stream.create('results'),
      RESULTS_DEAD_LETTERS: 's3://letters/dead',
      AWS_ENDPOINT_URL_KINESIS: await via(STREAMS)(stream.url),
      AWS_ENDPOINT_URL_S3: await via(LETTERS)(bucket.url),
    };
  });
  const { body: examined } = await ask('POST', '/v1/doctor');
  const ofResults = examined.checks.filter(({ name }: { name: string }) =>
    /^webhook|data stream|dead letters/.test(name),
  );
  t.deepEqual(
    ofResults.map(({ verdict }: { verdict: string }) => verdict),
    ['ok', 'ok', 'ok'],
    JSON.stringify(ofResults),
  );
  t.deepEqual(await webhook.requests(), []);
  // Gives up the events of the first request.
  await webhook.setRules({ times: 1, status: 410 });
  const { request } = await call(stage);
  const instanceArn = `arn:aws:connect:${REGION}:123456789012:instance/12345678-1234-1234-1234-123456789012`;
  t.is((await stage.start({ ...request, contact: { instanceArn } })).status, 200);
  await stage.ended(request.contactId);
  process.kill(stage.daemon.pid, 'SIGTERM');
  t.is(await stage.daemon.exited, 0);
  t.is((await webhook.events()).at(-1)?.type, 'session.ended');
  const records = await stream.records('results');
  t.is(JSON.parse(records.at(-1)?.text ?? '{}').EventType, 'COMPLETED');
  t.is(bucket.objects.size, 1);
  const { tunnels } = await proxy.facts();
  for (const host of [HOOKS, STREAMS, LETTERS]) {
    const own = tunnels.filter((tunnel) => tunnel.host === host);
    t.true(own.length > 0, host);
    t.true(
      own.every(({ status, firstByte }) => status === 200 && firstByte === 22),
      host,
    );
  }
});

async function metadata(t: ExecutionContext): Promise<string> {
  const program = new Program('test/simulators/imds/main.ts');
  t.teardown(() => program.stop('SIGKILL'));
  return program.listening();
}
