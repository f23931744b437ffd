import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { WebSocketServer } from 'ws';
import { listening } from '../support/loopback.ts';
import { Program } from '../support/process.ts';
import { CALL_AUDIO, expectedOn } from './deepgram/call-audio.ts';
import { type Heard, ListenClient, transcriptOf } from './deepgram/listen-client.ts';

const SCRIPT = 'test/simulators/deepgram/main.ts';

const simulator = new Program(SCRIPT, ['--rate', 'off', '--callback-retry-ms', '5']);
const url = await simulator.listening();
test.after.always(() => simulator.stop());

interface Delivered {
  method: string | undefined;
  headers: IncomingHttpHeaders;
  message: Heard;
}

/** An application that receives callbacks and answers the first ones with `failures`. */
async function receiver(t: ExecutionContext, failures: number[] = []) {
  const delivered: Delivered[] = [];
  const accepted: Heard[] = [];
  const server = createServer(async (request, response) => {
    const message = (await json(request)) as Heard;
    delivered.push({ method: request.method, headers: request.headers, message });
    const failure = failures.shift();
    response.writeHead(failure ?? 200).end();
    if (failure) return;
    accepted.push(message);
    server.emit('accepted', message);
  });
  const port = await listening(t, server);
  const isOver = new Promise<void>((resolve) => {
    server.on('accepted', ({ type }: Heard) => type === 'Metadata' && resolve());
  });
  return { address: `127.0.0.1:${port}`, delivered, accepted, isOver };
}

function saidTo(messages: readonly Heard[], channel: number): string[] {
  return messages
    .filter((message) => message.channel_index?.[0] === channel)
    .map(transcriptOf)
    .filter((transcript) => transcript !== '');
}

test('with a callback, the socket gets only the request id, and the callback gets all results', async (t) => {
  const app = await receiver(t);
  const client = await ListenClient.open(url, { callback: `http://${app.address}/results` });
  client.play(CALL_AUDIO);
  t.deepEqual(await client.finish(), { code: 1000, reason: '' });
  await app.isOver;
  t.deepEqual(client.messages, [{ request_id: String(client.headers['dg-request-id']) }]);
  t.deepEqual(saidTo(app.accepted, 0), expectedOn(0));
  t.deepEqual(saidTo(app.accepted, 1), expectedOn(1));
  t.is(app.accepted.at(-1)?.type, 'Metadata');
  t.true(app.delivered.every(({ method, headers }) => method === 'POST' && headers['dg-token'] !== undefined));
});

test('a failed delivery is retried before the next one', async (t) => {
  const app = await receiver(t, [500, 503]);
  const client = await ListenClient.open(url, { callback: `http://${app.address}/` });
  client.play(CALL_AUDIO);
  await client.finish();
  await app.isOver;
  const [first, second, third] = app.delivered;
  t.deepEqual(second?.message, first?.message);
  t.deepEqual(third?.message, first?.message);
  t.deepEqual(saidTo(app.accepted, 1), expectedOn(1));
});

test('a result is abandoned after ten attempts, and recorded', async (t) => {
  const app = await receiver(
    t,
    Array.from({ length: 10 }, () => 500),
  );
  const client = await ListenClient.open(url, { callback: `http://${app.address}/` });
  client.play(CALL_AUDIO);
  await client.finish();
  await app.isOver;
  const given = app.delivered[0]?.message;
  t.true(app.delivered.slice(0, 10).every(({ message }) => JSON.stringify(message) === JSON.stringify(given)));
  t.notDeepEqual(app.delivered[10]?.message, given);
  const connections = (await (await fetch(`${url}/simulator/connections`)).json()) as { callback?: object }[];
  const facts = connections.find((one) => Reflect.get(one, 'requestId') === client.headers['dg-request-id']);
  t.like(facts?.callback, { undelivered: [given], failedTries: 10 });
});

test('callback_method and credentials in the URL are respected', async (t) => {
  const app = await receiver(t);
  const client = await ListenClient.open(url, {
    callback: `http://us%40er:se%3Acret@${app.address}/`,
    callback_method: 'put',
  });
  client.play(CALL_AUDIO.subarray(0, 64_000));
  await client.finish();
  await app.isOver;
  const basic = `Basic ${Buffer.from('us@er:se:cret').toString('base64')}`;
  t.true(app.delivered.every(({ method, headers }) => method === 'PUT' && headers.authorization === basic));
});

test('a callback can be a WebSocket', async (t) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  t.teardown(() => server.close());
  await once(server, 'listening');
  const accepted: Heard[] = [];
  const isOver = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('message', (data) => accepted.push(JSON.parse(String(data)) as Heard));
      socket.on('close', () => resolve());
    });
  });
  const { port } = server.address() as AddressInfo;
  const client = await ListenClient.open(url, { callback: `ws://127.0.0.1:${port}/` });
  client.play(CALL_AUDIO);
  await client.finish();
  await isOver;
  t.deepEqual(saidTo(accepted, 0), expectedOn(0));
  t.is(accepted.at(-1)?.type, 'Metadata');
});

test('a simulator with undelivered results exits cleanly', async (t) => {
  const patient = new Program(SCRIPT, ['--rate', 'off']);
  const app = await receiver(t, [500]);
  const client = await ListenClient.open(await patient.listening(), { callback: `http://${app.address}/` });
  client.play(CALL_AUDIO);
  await client.finish();
  t.is(await patient.stop(), 0);
});
