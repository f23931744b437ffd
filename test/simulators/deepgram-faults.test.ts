import { once } from 'node:events';
import test from 'ava';
import { WebSocket } from 'ws';
import { Program } from '../support/process.ts';
import { CALL_AUDIO, expectedOn } from './deepgram/call-audio.ts';
import { callQuery, ListenClient, refusalOf } from './deepgram/listen-client.ts';

/** 8 kHz, two 16-bit channels. */
const BYTES_PER_SECOND = 32_000;
/** More than the kernel's buffers of a connection hold. */
const MORE_THAN_BUFFERS_BYTES = 48_000_000;

const simulator = new Program('test/simulators/deepgram/main.ts', ['--rate', 'off']);
const url = await simulator.listening();
test.after.always(() => simulator.stop());

/** A fault without a tag affects the next handshake of any test, so these tests take turns. */
const inTurn = test.serial;

async function order(faults: unknown): Promise<number> {
  const response = await fetch(`${url}/simulator/faults`, { method: 'POST', body: JSON.stringify(faults) });
  return response.status;
}

async function bytesReceived(client: ListenClient): Promise<number> {
  const connections = (await (await fetch(`${url}/simulator/connections`)).json()) as {
    requestId: string;
    bytes: number;
  }[];
  return connections.find(({ requestId }) => requestId === client.headers['dg-request-id'])?.bytes ?? 0;
}

inTurn('each refusal affects one handshake', async (t) => {
  await order([{ refuse: 429, dgError: 'Too many streams.' }, { none: true }, { refuse: 402 }]);
  const { status, headers, body } = await refusalOf(url, callQuery({}));
  t.is(status, 429);
  t.is(headers['dg-error'], 'Too many streams.');
  t.like(body, { err_code: 'TOO_MANY_REQUESTS', err_msg: 'Too many streams.' });
  await (await ListenClient.open(url)).finish();
  t.is((await refusalOf(url, callQuery({}))).status, 402);
  await (await ListenClient.open(url)).finish();
});

inTurn('a handshake that hangs is never answered, but others are', async (t) => {
  await order([{ hang: true }]);
  const headers = { authorization: 'Token simulator-key' };
  const address = `${url.replace('http', 'ws')}/v1/listen?${new URLSearchParams(callQuery({}))}`;
  const both = [new WebSocket(address, { headers }), new WebSocket(address, { headers })];
  await Promise.any(both.map((socket) => once(socket, 'open')));
  await (await ListenClient.open(url)).finish();
  t.deepEqual(both.map(({ readyState }) => readyState).sort(), [WebSocket.CONNECTING, WebSocket.OPEN]);
  for (const socket of both) {
    // ws reports a connection that is closed before it opens as an error.
    socket.on('error', () => {});
    socket.terminate();
  }
});

inTurn('a fault with a tag waits for a handshake with that tag', async (t) => {
  await order([{ refuse: 402, tag: 'theirs' }, { refuse: 429 }]);
  t.is((await refusalOf(url, callQuery({ tag: 'ours' }))).status, 429);
  await (await ListenClient.open(url, { tag: 'ours' })).finish();
  t.is((await refusalOf(url, callQuery({ tag: 'theirs' }))).status, 402);
  await (await ListenClient.open(url, { tag: 'theirs' })).finish();
});

inTurn('a connection is closed after some audio, with code and reason', async (t) => {
  await order([{ closeAfterMs: 2000, code: 1011, reason: 'NET-0000' }]);
  const client = await ListenClient.open(url);
  client.play(CALL_AUDIO);
  t.deepEqual(await client.closed, { code: 1011, reason: 'NET-0000' });
  t.is(await bytesReceived(client), Math.ceil((2 * BYTES_PER_SECOND) / 4096) * 4096);
});

inTurn('a connection is reset after some audio', async (t) => {
  await order([{ resetAfterMs: 1000 }]);
  const client = await ListenClient.open(url);
  client.play(CALL_AUDIO.subarray(0, BYTES_PER_SECOND));
  t.is((await client.closed).code, 1006);
});

inTurn('a stalled connection stops reading, so that the sender is held back', async (t) => {
  await order([{ stallAfterMs: 1000, forMs: 600_000 }]);
  const stalled = await ListenClient.open(url);
  stalled.play(CALL_AUDIO.subarray(0, BYTES_PER_SECOND));
  stalled.play(CALL_AUDIO);
  const other = await ListenClient.open(url);
  other.play(CALL_AUDIO);
  await other.finish();
  const received = await bytesReceived(stalled);
  t.true(received >= BYTES_PER_SECOND && received < BYTES_PER_SECOND + CALL_AUDIO.length / 2, `${received} bytes`);
  stalled.socket.send(Buffer.alloc(MORE_THAN_BUFFERS_BYTES));
  t.is(await bytesReceived(stalled), received);
  t.true(stalled.socket.bufferedAmount > 0);
  stalled.socket.terminate();
});

inTurn('a stall that ends costs no words', async (t) => {
  await order([{ stallAfterMs: 1000, forMs: 100 }]);
  const client = await ListenClient.open(url);
  client.play(CALL_AUDIO);
  t.is((await client.finish()).code, 1000);
  t.deepEqual(client.said(0), expectedOn(0));
});

inTurn('unknown faults are rejected', async (t) => {
  t.is(await order([{ explode: true }]), 400);
  t.is(await order({ hang: true }), 400);
  await (await ListenClient.open(url)).finish();
});
