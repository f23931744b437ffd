/**
 * Kinesis Video for a benchmark: every GetMedia is a call that goes on in real time until it is hung up. One timer for
 * all calls, and bytes that are built before they are needed, so that it never is what is waited for.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { answerJson, serve } from '../../simulators/serve.ts';
import { firstFragmentOf, Material, nextContact, ofCall } from '../material.ts';
import { callOfStream } from './calls.ts';

/** Far below any chunk's interval: calls keep their own phases. */
const TICK_MS = 4;
/** Calls begin spread over the interval, as calls do. */
const GOLDEN = 0.618;
/** Longer than any run. */
const KEEP_ALIVE_MS = 60 * 60_000;
/** Built ahead: 100 s of calls; what lasts longer is built on the way. */
const BUILT_AHEAD = 64;

/** A call that is read. */
interface Call {
  readonly call: number;
  readonly socket: Socket;
  dueMs: number;
  /** The fragment it is at, and how many chunks of it are out. */
  fragment: number;
  chunks: number;
}

const { values } = parseArgs({ options: { 'chunk-ms': { type: 'string', default: '64' } } });
const chunkMs = Number(values['chunk-ms']);
const material = new Material(chunkMs);
/** Chunks as they go over the wire; the first of a fragment is made for each call anew. */
const framedChunks: Buffer[][] = [];
for (let index = 0; index < BUILT_AHEAD; index++) framedOf(index);
const calls: Call[] = [];
let isOver = false;
setInterval(tick, TICK_MS);

const server = createServer(answer);
// Who asks again must not meet a connection that is just being closed: starts may be seconds apart.
server.keepAliveTimeout = KEEP_ALIVE_MS;
await serve(server, 0);
process.once('SIGTERM', () => process.exit());

async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(incoming);
  if (incoming.url === '/getDataEndpoint') {
    answerJson(response, 200, { DataEndpoint: `http://${incoming.headers.host}` });
  } else if (incoming.url === '/getMedia') {
    begin((JSON.parse(body) as { StreamARN: string }).StreamARN, response);
  } else if (incoming.url === '/hang-up') {
    answerJson(response, 200, { fragments: hangUp() });
  } else {
    answerJson(response, 404, {});
  }
}

function begin(streamArn: string, response: ServerResponse): void {
  const call = callOfStream(streamArn);
  // From here on the socket is written to directly: a chunk is one buffer and one write.
  response.writeHead(200, { 'content-type': 'video/webm', 'transfer-encoding': 'chunked' }).flushHeaders();
  const { socket } = response;
  if (!socket) return;
  if (isOver) {
    socket.end('0\r\n\r\n');
    return;
  }
  const dueMs = performance.now() + ((call * GOLDEN) % 1) * chunkMs;
  calls.push({ call, socket, dueMs, fragment: firstFragmentOf(call), chunks: 0 });
}

function tick(): void {
  const nowMs = performance.now();
  for (const call of calls) {
    // Who does not read gets no more: Kinesis keeps the rest.
    while (call.dueMs <= nowMs && !call.socket.writableNeedDrain) {
      call.dueMs += chunkMs;
      sendChunk(call);
    }
  }
}

function sendChunk(call: Call): void {
  const framedFragment = framedOf(call.fragment);
  const chunk = framedFragment[call.chunks] as Buffer;
  call.socket.write(call.chunks === 0 ? ofCall(chunk, call.call) : chunk);
  if (++call.chunks < framedFragment.length) return;
  call.chunks = 0;
  call.fragment++;
}

/** Ends all calls after the fragment they are at. Gives how many fragments each has had. */
function hangUp(): Record<number, number> {
  const fragments: Record<number, number> = {};
  isOver = true;
  for (const call of calls.splice(0)) {
    while (call.chunks > 0) sendChunk(call);
    call.socket.write(framed(nextContact()));
    call.socket.end('0\r\n\r\n');
    fragments[call.call] = call.fragment - firstFragmentOf(call.call);
  }
  return fragments;
}

function framedOf(index: number): Buffer[] {
  framedChunks[index] ??= material.fragment(index).chunks.map(framed);
  return framedChunks[index];
}

/** A chunk of `transfer-encoding: chunked`. */
function framed(chunk: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
}
