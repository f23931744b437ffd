import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import anyTest, { type TestFn } from 'ava';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import type { Fault } from '../simulators/deepgram/faults.ts';
import type { FaultRule } from '../simulators/kinesis-video/client.ts';
import { API_KEY, REGION, Simulators, Stage } from './stage.ts';

const SECRET = 'secret-between-trigger-and-daemon';
const test = anyTest as TestFn<{ stage: Stage }>;

test.before(async (t) => {
  t.context = { stage: await Stage.open({ env: { TRIGGER_SECRET: SECRET } }) };
});
test.after.always((t) => t.context.stage.close());

/** Of the stages whose tests cause no faults: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());

const ARN = `arn:aws:kinesisvideo:${REGION}:123456789012:stream/name/1234567890123`;
const START = {
  contactId: 'contact-1',
  kvsStream: { arn: ARN, startFragmentNumber: '91343852333181432392682062607743920146159169392' },
  dgParams: { model: 'nova-3', tag: ['a', 'b'] },
  enforceRealtime: false,
};
const { contactId, ...withoutContact } = START;

/** An invalid body, the reason of its refusal, and what the message must mention. */
const BAD_REQUESTS: Record<string, [body: unknown, reason: string, names: RegExp]> = {
  'not JSON': ['{"contactId": ', 'bad-request', /not JSON/],
  'not an object': ['[]', 'bad-request', /expected object/],
  'a missing field': [withoutContact, 'bad-request', /contactId/],
  'an unknown field': [{ ...START, extra: 1 }, 'bad-request', /extra/],
  'an unknown field within': [{ ...START, kvsStream: { ...START.kvsStream, region: 'x' } }, 'bad-request', /region/],
  'a null': [{ ...START, dgParams: null }, 'bad-request', /dgParams/],
  'a number for a contact id': [{ ...START, contactId: 7 }, 'bad-request', /contactId/],
  'a malformed contact id': [{ ...START, contactId: '../etc' }, 'bad-request', /contactId/],
  'a Flux model': [{ ...START, dgParams: { model: 'flux-general-en' } }, 'bad-request', /Flux models take one channel/],
  'a parameter that is a number': [{ ...START, dgParams: { model: 7 } }, 'bad-request', /dgParams.model/],
  'a parameter with no value': [{ ...START, dgParams: { tag: [] } }, 'bad-request', /dgParams.tag/],
  'a parameter without a name': [{ ...START, dgParams: { '': 'x' } }, 'bad-request', /dgParams/],
  'a word for enforceRealtime': [{ ...START, enforceRealtime: 'true' }, 'bad-request', /enforceRealtime/],
  'a malformed fragment number': [
    { ...START, kvsStream: { arn: ARN, startFragmentNumber: 'first' } },
    'bad-request',
    /startFragmentNumber/,
  ],
  'an ARN of something else': [
    { ...START, kvsStream: { ...START.kvsStream, arn: 'arn:aws:s3:::bucket' } },
    'wrong-stream',
    /not the ARN of a Kinesis video stream/,
  ],
  'a stream of another region': [
    { ...START, kvsStream: { ...START.kvsStream, arn: ARN.replace(REGION, 'eu-west-2') } },
    'wrong-stream',
    /eu-west-2/,
  ],
  ...Object.fromEntries(
    ['encoding', 'sample_rate', 'multichannel', 'channels'].map((param) => [
      `the locked parameter ${param}`,
      [{ ...START, dgParams: { [param]: 'x' } }, 'locked-parameter', new RegExp(`dg_${param}`)],
    ]),
  ),
};

for (const [fault, [body, reason, names]] of Object.entries(BAD_REQUESTS)) {
  test(`a start with ${fault} gets 400 ${reason}`, async (t) => {
    const answer = await t.context.stage.start(body, { secret: SECRET });
    t.is(answer.status, 400);
    t.like(answer.body, { reason, retryable: false });
    t.regex(String(answer.body['message']), names);
  });
}

test('an oversized body gets 413', async (t) => {
  const answer = await t.context.stage.start({ ...START, contactId: 'x'.repeat(200_000) }, { secret: SECRET });
  t.is(answer.status, 413);
  t.is(answer.body['reason'], 'body-too-large');
});

test('an unsigned, a wrongly signed and a replayed start get 401', async (t) => {
  const { stage } = t.context;
  const { signatureHeaders } = await import('../../daemon/contract/signing.ts');
  const body = JSON.stringify(START);
  const cases = {
    'missing-signature': {},
    'bad-signature': signatureHeaders('another secret', body, Date.now()),
    'stale-signature': signatureHeaders(SECRET, body, Date.now() - 301_000),
  };
  for (const [reason, headers] of Object.entries(cases)) {
    const answer = await stage.start(body, { headers });
    t.is(answer.status, 401);
    t.like(answer.body, { reason, retryable: false });
  }
  const changed = signatureHeaders(SECRET, body.replace('contact-1', 'contact-2'), Date.now());
  t.is((await stage.start(body, { headers: changed })).body['reason'], 'bad-signature');
});

test('any other path or method gets 404 and a list of what exists', async (t) => {
  for (const [method, path] of [
    ['GET', '/start-session'],
    ['POST', '/health-check'],
    ['GET', '/'],
    ['GET', '/v1/sessions'],
  ] as const) {
    const answer = await t.context.stage.ask(method, path);
    t.is(answer.status, 404);
    t.regex(String(answer.body['message']), /POST \/start-session/);
  }
});

/** A fault at Kinesis, and the response to the start request. */
const KINESIS_FAULTS: [fault: Omit<FaultRule, 'stream'>, status: number, awsError: string][] = [
  [{ error: 'ResourceNotFoundException' }, 404, 'ResourceNotFoundException'],
  [{ api: 'GetDataEndpoint', error: 'ResourceNotFoundException' }, 404, 'ResourceNotFoundException'],
  [{ error: 'NotAuthorizedException' }, 502, 'NotAuthorizedException'],
  [{ api: 'GetDataEndpoint', error: 'NotAuthorizedException' }, 502, 'NotAuthorizedException'],
  [{ error: 'ClientLimitExceededException' }, 503, 'ClientLimitExceededException'],
  [{ api: 'GetDataEndpoint', error: 'ClientLimitExceededException' }, 503, 'ClientLimitExceededException'],
  [{ error: 'ConnectionLimitExceededException' }, 503, 'ConnectionLimitExceededException'],
] as never;

for (const [fault, status, awsError] of KINESIS_FAULTS) {
  test(`${fault.api ?? 'GetMedia'} refused with ${awsError}: the start gets ${status} and that name`, async (t) => {
    const { stage } = t.context;
    const stream = `refused-${randomUUID()}`;
    const request = await stage.call({ customer: bytesOf(distinctSamples(800)) }, stream);
    await stage.kinesis.addFaults({ ...fault, stream } as FaultRule);
    const answer = await stage.start(request, { secret: SECRET });
    t.is(answer.status, status);
    t.like(answer.body, { reason: 'kinesis-refused', awsError, retryable: status === 503 });
    t.is(answer.headers.get('retry-after') !== null, status === 503);
  });
}

test('after a failed GetDataEndpoint, the next start requests it again', async (t) => {
  const { stage } = t.context;
  const stream = `throttled-${randomUUID()}`;
  const request = await stage.call({ customer: bytesOf(distinctSamples(800)) }, stream);
  await stage.kinesis.addFaults({ api: 'GetDataEndpoint', error: 'ClientLimitExceededException', stream });
  t.is((await stage.start(request, { secret: SECRET })).status, 503);
  t.is((await stage.start(request, { secret: SECRET })).status, 200);
});

test('a stream that does not exist gets 404', async (t) => {
  const answer = await t.context.stage.start(START, { secret: SECRET });
  t.is(answer.status, 404);
  t.is(answer.body['awsError'], 'ResourceNotFoundException');
});

/** Status of Deepgram's refusal, and of the response to the start request. */
const DEEPGRAM_FAULTS: [deepgram: number, status: number][] = [
  [400, 502],
  [401, 502],
  [402, 502],
  [403, 502],
  [429, 503],
  [500, 503],
  [503, 503],
];

test.serial('Deepgram refuses: the start gets 502 or 503 with dg-error and dg-request-id', async (t) => {
  const { stage } = t.context;
  for (const [deepgramStatus, status] of DEEPGRAM_FAULTS) {
    const request = await stage.call({ customer: bytesOf(distinctSamples(800)) });
    await stage.deepgram.addFaults({ refuse: deepgramStatus, dgError: `why ${deepgramStatus}` });
    const answer = await stage.start(request, { secret: SECRET });
    t.is(answer.status, status);
    t.like(answer.body, { reason: 'deepgram-refused', deepgramStatus, dgError: `why ${deepgramStatus}` });
    t.is(answer.body['retryable'], status === 503);
    t.is(answer.headers.get('dg-error'), `why ${deepgramStatus}`);
    t.is(answer.headers.get('dg-request-id'), String(answer.body['dgRequestId']));
    t.regex(String(answer.body['dgRequestId']), /^[0-9a-f-]{36}$/);
  }
});

test.serial(
  'a side that does not answer: the start gets 504 when the caller said it would wait no longer',
  async (t) => {
    const { stage } = t.context;
    const hang: Fault = { hang: true };
    await stage.deepgram.addFaults(hang);
    const request = await stage.call({ customer: bytesOf(distinctSamples(800)) });
    const answer = await stage.start(request, { secret: SECRET, headers: { 'x-integrator-timeout-ms': '2000' } });
    t.is(answer.status, 504);
    t.like(answer.body, { reason: 'start-timeout', retryable: true });
    // Up to 2000: reading and checking the request count.
    t.regex(String(answer.body['message']), /did not answer within \d+ ms/);
    const { connections } = await stage.kinesis.requests();
    const open = Object.values(connections).reduce((sum, count) => sum + count.open, 0);
    t.true(open <= 1, 'the connection to Kinesis is given back');
    const retried = await stage.start(request, { secret: SECRET });
    t.is(retried.status, 200, 'and the contact can be started again');
  },
);

test('Deepgram’s message about a bad parameter reaches the caller, but not the log', async (t) => {
  const { stage } = t.context;
  const request = await stage.call({ customer: bytesOf(distinctSamples(800)) });
  const planted = 'no-such-model-of-mine';
  const answer = await stage.start({ ...request, dgParams: { model: planted } }, { secret: SECRET });
  t.is(answer.status, 502);
  t.is(answer.body['deepgramStatus'], 400);
  t.true(JSON.stringify(answer.body).includes(planted));
  t.false(JSON.stringify(stage.daemon.lines).includes(planted));
});

test('a daemon with a wrong key reports that Deepgram refuses it with 401', async (t) => {
  const stage = await Stage.open({ simulators, env: { DEEPGRAM_API_KEY: `not-${API_KEY}` } });
  t.teardown(() => stage.close());
  const answer = await stage.start(await stage.call({ customer: bytesOf(distinctSamples(800)) }));
  t.is(answer.status, 502);
  t.is(answer.body['deepgramStatus'], 401);
});

test('an unreachable Deepgram: the start gets 503 and can be retried, and the instance is cut off until it is reachable', async (t) => {
  // An address of this test's own: at 127.0.0.1 another test could be given the port while nothing listens here.
  const host = '127.0.0.2';
  const server = createServer();
  const listens = async (port: number) => {
    server.listen(port, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  t.teardown(() => server.close());
  const port = await listens(0);
  server.close();
  const stage = await Stage.open({ simulators, env: { DEEPGRAM_API: `ws://${host}:${port}` } });
  t.teardown(() => stage.close());
  const answer = await stage.start(await stage.call({ customer: bytesOf(distinctSamples(800)) }), { isLast: true });
  t.is(answer.status, 503);
  t.like(answer.body, { reason: 'deepgram-unreachable', retryable: true });

  await stage.daemon.line(({ event }) => event === 'daemon.cut-off');
  t.like(await stage.ask('GET', '/health-check'), { status: 503, body: { status: 'cut-off' } });
  const next = await stage.start(await stage.call({ customer: bytesOf(distinctSamples(800)) }), { isLast: true });
  t.is(next.status, 503);
  t.like(next.body, { reason: 'cut-off', retryable: true });
  t.regex(String(next.body['message']), /Deepgram at 127.0.0.2:\d+ cannot be reached: .*ECONNREFUSED/);

  await listens(port);
  await stage.daemon.line(({ event }) => event === 'daemon.reachable-again');
  t.is((await stage.ask('GET', '/health-check')).status, 200);
});

test('idle connections outlive the load balancer’s idle timeout, so that no start meets a closed one', async (t) => {
  const { headers } = await t.context.stage.ask('GET', '/health-check');
  const [, seconds] = /^timeout=(\d+)$/.exec(headers.get('keep-alive') ?? '') ?? [];
  t.true(Number(seconds) > 60);
});

test('a full daemon answers 503 with Retry-After and fails its health check; its call is not affected', async (t) => {
  const stage = await Stage.open({ simulators, env: { MAX_SESSIONS: '1' } });
  t.teardown(() => stage.close());
  t.like(await stage.ask('GET', '/health-check'), { status: 200, body: { status: 'serving', sessions: 0 } });
  const running = await stage.call({ customer: bytesOf(distinctSamples(16_000)) });
  t.is((await stage.start(running)).status, 200);
  const answer = await stage.start(await stage.call({ customer: bytesOf(distinctSamples(800)) }));
  t.is(answer.status, 503);
  t.like(answer.body, { reason: 'full', retryable: true });
  t.is(answer.headers.get('retry-after'), '1');
  t.like(await stage.ask('GET', '/health-check'), { status: 503, body: { status: 'full', sessions: 1 } });
  t.like(await stage.ended(running.contactId), { outcome: 'completed', audioMs: 2000 });
  t.is((await stage.ask('GET', '/health-check')).status, 200);
});

test('on SIGTERM the daemon refuses starts, waits for the running call, and exits with 0', async (t) => {
  const stage = await Stage.open({ simulators });
  t.teardown(() => stage.close());
  const running = await stage.call({ customer: bytesOf(distinctSamples(16_000)) });
  t.is((await stage.start(running)).status, 200);
  process.kill(stage.daemon.pid, 'SIGTERM');
  await stage.daemon.line(({ event }) => event === 'drain.began');
  const answer = await stage.start(await stage.call({ customer: bytesOf(distinctSamples(800)) }));
  t.is(answer.status, 503);
  t.is(answer.body['reason'], 'draining');
  t.is((await stage.ask('GET', '/health-check')).status, 503);
  t.is(await stage.daemon.exited, 0);
  t.like(await stage.ended(running.contactId), { outcome: 'completed', audioMs: 2000 });
});
