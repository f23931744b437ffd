import { createServer, type RequestListener } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { connectMetadata, MetadataRefused, MetadataUnavailable } from '../../daemon/lifecycle/metadata.ts';
import { MetadataControl } from '../simulators/imds/client.ts';
import { listening, NOWHERE } from '../support/loopback.ts';
import { Program } from '../support/process.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function client(url: string, env: Record<string, string> = {}) {
  const clock = new VirtualClock();
  return { metadata: connectMetadata({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url, ...env }, clock), clock };
}

/** A metadata simulator, and a client of it. */
async function ownService(t: ExecutionContext) {
  const program = new Program('test/simulators/imds/main.ts', ['--instance-id', 'i-42', '--region', 'eu-west-1']);
  t.teardown(() => program.stop('SIGKILL'));
  const url = await program.listening();
  const control = new MetadataControl(url);
  const tokens = async () => (await control.requests()).filter(({ method }) => method === 'PUT').length;
  return { ...client(url), control, tokens, url };
}

/** A client of an HTTP server that answers as `listener` does. */
async function clientOf(t: ExecutionContext, listener: RequestListener) {
  return client(`http://127.0.0.1:${await listening(t, createServer(listener))}`);
}

test('values that exist are read, and others are undefined', async (t) => {
  const { metadata, control } = await ownService(t);
  t.is(await metadata.instanceId(), 'i-42');
  t.is(await metadata.region(), 'eu-west-1');
  t.is(await metadata.targetLifecycleState(), 'InService');
  t.is(await metadata.spotAction(), undefined);
  t.is(await metadata.rebalanceNotice(), undefined);
  t.deepEqual(await metadata.maintenanceEvents(), []);
  const time = '2031-05-06T07:08:09Z';
  await control.setState({
    targetLifecycleState: null,
    spotAction: { action: 'stop', time },
    rebalance: time,
  });
  t.is(await metadata.targetLifecycleState(), undefined);
  t.deepEqual(await metadata.spotAction(), { action: 'stop', atEpochMs: Date.parse(time) });
  t.is(await metadata.rebalanceNotice(), time);
});

test('active scheduled events are read; canceled, completed and odd ones are not', async (t) => {
  const { metadata, control } = await ownService(t);
  const event = {
    NotBefore: '21 Jan 2031 09:00:43 GMT',
    NotAfter: '21 Jan 2031 09:17:23 GMT',
    Code: 'system-reboot',
    Description: 'scheduled reboot',
    EventId: 'instance-event-1',
    State: 'active',
  };
  const calledOff = [
    { ...event, State: 'canceled' },
    { ...event, State: 'completed' },
    { ...event, Description: '[Canceled] scheduled reboot' },
    { ...event, NotBefore: 'soon' },
  ];
  await control.setState({ maintenance: [...calledOff, event] });
  const notBeforeEpochMs = Date.parse('2031-01-21T09:00:43Z');
  t.deepEqual(await metadata.maintenanceEvents(), [
    { eventId: 'instance-event-1', code: 'system-reboot', notBeforeEpochMs },
  ]);
  await control.setState({ maintenance: null });
  t.deepEqual(await metadata.maintenanceEvents(), []);
});

for (const fault of [429, 404, 403] as const) {
  test(`a service that refuses one request with ${fault} answers the next`, async (t) => {
    const { metadata, control } = await ownService(t);
    await control.setFault({ fault });
    await t.throwsAsync(metadata.instanceId(), { instanceOf: MetadataRefused });
    t.is(await metadata.instanceId(), 'i-42');
  });
}

test('the service is certainly absent only where a setting or the machine says so', (t) => {
  const clock = new VirtualClock();
  const other = (name: string) => (name === 'sys_vendor' ? 'LENOVO' : undefined);
  const absence = (env: Record<string, string>) => connectMetadata(env, clock, other).absence;
  t.is(absence({ AWS_EC2_METADATA_DISABLED: 'TRUE' }), 'AWS_EC2_METADATA_DISABLED is true');
  t.is(absence({}), 'this is not an EC2 instance but a machine by LENOVO');
  t.is(absence({ AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1338' }), undefined);
  t.is(connectMetadata({}, clock, () => undefined).absence, undefined, 'nothing is sure');
});

test('one token serves many requests, concurrent and successive', async (t) => {
  const { metadata, tokens } = await ownService(t);
  await Promise.all([metadata.instanceId(), metadata.region(), metadata.spotAction()]);
  await metadata.targetLifecycleState();
  t.is(await tokens(), 1);
});

test('a token is renewed before it expires', async (t) => {
  const { metadata, clock, tokens, control } = await ownService(t);
  await metadata.instanceId();
  clock.forward(0.9 * 21_600_000 - 1);
  await metadata.instanceId();
  t.is(await tokens(), 1);
  clock.forward(1);
  await Promise.all([metadata.instanceId(), metadata.region()]);
  t.is(await tokens(), 2);
  t.true((await control.requests()).every(({ status }) => status === 200));
});

test('a token lives as long as the service grants it, not as long as we requested', async (t) => {
  let tokens = 0;
  const { metadata, clock } = await clientOf(t, (request, response) => {
    if (request.method === 'PUT') tokens += 1;
    response.writeHead(200, { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }).end('i-42');
  });
  await metadata.instanceId();
  clock.forward(53_999);
  await metadata.instanceId();
  t.is(tokens, 1);
  clock.forward(1);
  await metadata.instanceId();
  t.is(tokens, 2);
});

test('a rejected token is replaced once for all callers', async (t) => {
  const { metadata, control, tokens } = await ownService(t);
  await metadata.instanceId();
  await control.expireTokens();
  t.deepEqual(await Promise.all([metadata.instanceId(), metadata.region()]), ['i-42', 'eu-west-1']);
  t.is(await tokens(), 2);
});

test('the simulator returns nothing without a token', async (t) => {
  const { url } = await ownService(t);
  const statusOf = async (path: string, init: RequestInit) => (await fetch(new URL(path, url), init)).status;
  t.is(await statusOf('/latest/meta-data/instance-id', {}), 401);
  t.is(await statusOf('/latest/meta-data/instance-id', { headers: { 'x-aws-ec2-metadata-token': 'made-up' } }), 401);
  t.is(await statusOf('/latest/api/token', { method: 'PUT' }), 400);
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '21601' };
  t.is(await statusOf('/latest/api/token', { method: 'PUT', headers }), 400);
});

test('a service that is switched off gets no request', async (t) => {
  const { url, control } = await ownService(t);
  const { metadata } = client(url, { AWS_EC2_METADATA_DISABLED: 'TRUE' });
  await t.throwsAsync(metadata.instanceId(), {
    instanceOf: MetadataUnavailable,
    message: 'AWS_EC2_METADATA_DISABLED is true',
  });
  t.deepEqual(await control.requests(), []);
});

test('an endpoint that is not an http URL is an error that names it', async (t) => {
  await t.throwsAsync(client('localhost').metadata.instanceId(), {
    instanceOf: MetadataUnavailable,
    message: 'AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http URL: localhost',
  });
});

test('a service that does not respond times out after a second', async (t) => {
  const requested = Promise.withResolvers<void>();
  const { metadata, clock } = await clientOf(t, () => requested.resolve());
  const failed = t.throwsAsync(metadata.instanceId(), { instanceOf: MetadataUnavailable });
  await requested.promise;
  clock.forward(1000);
  t.regex((await failed).message, /no response within 1000 ms$/);
});

test('a service that cannot be reached is unavailable', async (t) => {
  const { metadata } = client(`http://${NOWHERE}`);
  const error = await t.throwsAsync(metadata.instanceId(), { instanceOf: MetadataUnavailable });
  t.regex(error.message, /ECONNREFUSED/);
});

test('a response that does not end or breaks off is an error', async (t) => {
  const endless: RequestListener = (_, response) => {
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    };
    response.on('drain', more);
    more();
  };
  const broken: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-length': '10' }).write('half');
    setImmediate(() => response.destroy());
  };
  for (const listener of [endless, broken]) {
    const { metadata } = await clientOf(t, listener);
    await t.throwsAsync(metadata.instanceId(), { instanceOf: MetadataUnavailable });
  }
});

test('an error status is part of the error', async (t) => {
  const { metadata } = await clientOf(t, (_, response) => response.writeHead(403).end());
  const error = await t.throwsAsync(metadata.instanceId(), { instanceOf: MetadataRefused });
  t.is(error.status, 403);
  t.regex(error.message, /token with HTTP 403$/);
});

test('a service that rejects every token gets two requests', async (t) => {
  let requests = 0;
  const { metadata } = await clientOf(t, (request, response) => {
    if (request.method === 'GET') requests += 1;
    response.writeHead(request.method === 'PUT' ? 200 : 401).end('token');
  });
  await t.throwsAsync(metadata.instanceId(), { instanceOf: MetadataRefused });
  t.is(requests, 2);
});

test('a Spot notice without a time is an error that shows it', async (t) => {
  const { metadata } = await clientOf(t, (request, response) => {
    response.end(request.method === 'PUT' ? 'token' : '{"action":"terminate"}');
  });
  await t.throwsAsync(metadata.spotAction(), { message: /has no action and time: \{"action":"terminate"\}$/ });
});
