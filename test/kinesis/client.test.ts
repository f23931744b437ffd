import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { connectKinesis, type Kinesis } from '../../daemon/kinesis/client.ts';
import { KinesisRefused } from '../../daemon/kinesis/refusal.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { listening } from '../support/loopback.ts';

process.env['AWS_ACCESS_KEY_ID'] = 'a';
process.env['AWS_SECRET_ACCESS_KEY'] = 'b';

/** Kinesis's control endpoint; breaks a connection instead of responding when `breaks` returns true. */
async function serving(t: ExecutionContext, breaks: (requestOnConnection: number, request: number) => boolean) {
  const asked = new Map<Socket, number>();
  let requests = 0;
  const server = createServer((request, response) => {
    const { socket } = request;
    asked.set(socket, (asked.get(socket) ?? 0) + 1);
    requests++;
    if (breaks(asked.get(socket) as number, requests)) socket.destroy();
    else response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' }).end('{}');
  });
  process.env['AWS_ENDPOINT_URL_KINESIS_VIDEO'] = `http://127.0.0.1:${await listening(t, server)}`;
  const kinesis = connectKinesis('eu-west-2', systemClock, new TimerWheel(systemClock));
  t.teardown(() => kinesis.close());
  return { kinesis, connections: () => asked.size, requests: () => requests };
}

const probe = (kinesis: Kinesis) => kinesis.probe(AbortSignal.timeout(20_000));

// Serial: the SDK reads the endpoint from the environment.
test.serial(
  'a kept connection that the service closes when it is used again is replaced without an error',
  async (t) => {
    const { kinesis, connections } = await serving(t, (requestOnConnection) => requestOnConnection > 1);
    await probe(kinesis);
    await probe(kinesis);
    await probe(kinesis);
    t.is(connections(), 3);
  },
);

test.serial('a service that breaks every connection is called twice, and the refusal is retryable', async (t) => {
  const { kinesis, requests } = await serving(t, () => true);
  const refusal = await t.throwsAsync(probe(kinesis), { instanceOf: KinesisRefused });
  t.true(refusal?.retryable);
  t.is(requests(), 2);
});

test.serial('a page of HTML is no stream, whatever its status', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/getDataEndpoint') response.end(JSON.stringify({ DataEndpoint: url }));
    else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>welcome</html>');
  });
  const url = `http://127.0.0.1:${await listening(t, server)}`;
  process.env['AWS_ENDPOINT_URL_KINESIS_VIDEO'] = url;
  const kinesis = connectKinesis('eu-west-2', systemClock, new TimerWheel(systemClock));
  t.teardown(() => kinesis.close());
  const arn = 'arn:aws:kinesisvideo:eu-west-2:123456789012:stream/one/1565272947806';
  const opening = kinesis.getMedia(arn, { fragmentNumber: '1' }, AbortSignal.timeout(20_000));
  const refusal = await t.throwsAsync(opening, { instanceOf: KinesisRefused });
  t.is(refusal?.awsName, 'NotAStream');
  t.is(refusal?.midCall, 'retry');
});

test.serial('the first start of a machine whose clock is wrong succeeds', async (t) => {
  const CLOCK_MS = Date.now() + 20 * 60_000;
  const server = createServer((request, response) => {
    response.setHeader('date', new Date(CLOCK_MS).toUTCString());
    if (Math.abs(signedAtMs(String(request.headers['x-amz-date'])) - CLOCK_MS) > 5 * 60_000) {
      response
        .writeHead(403, { 'x-amzn-errortype': 'InvalidSignatureException' })
        .end('{"message":"Signature expired"}');
    } else if (request.url === '/getDataEndpoint') response.end(JSON.stringify({ DataEndpoint: url }));
    else response.writeHead(200, { 'content-type': 'video/webm' }).end();
  });
  const url = `http://127.0.0.1:${await listening(t, server)}`;
  process.env['AWS_ENDPOINT_URL_KINESIS_VIDEO'] = url;
  const kinesis = connectKinesis('eu-west-2', systemClock, new TimerWheel(systemClock));
  t.teardown(() => kinesis.close());
  const arn = 'arn:aws:kinesisvideo:eu-west-2:123456789012:stream/one/1565272947806';
  const media = await kinesis.getMedia(arn, { fragmentNumber: '1' }, AbortSignal.timeout(20_000));
  t.teardown(() => media.close());
  t.truthy(media.body);
});

/** Epoch milliseconds of a time such as 20261130T210511Z. */
function signedAtMs(basic: string): number {
  return Date.parse(basic.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)/, '$1-$2-$3:$4:'));
}
