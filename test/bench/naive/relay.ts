/**
 * What a Node user would write today, as a process: reads calls from a GetMedia, and sends them on to a WebSocket each.
 * With `none` it parses nothing at all and moves the bytes as they come.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { contactOf } from '../material.ts';
import { streamArnOf } from '../simulators/calls.ts';
import { parseWithEbml } from './ebml.ts';
import { parseWithEbmlStream } from './ebml-stream.ts';
import { Merger } from './merger.ts';

/** Calls that are opened at a time. */
const OPENING = 20;

const PARSERS = { 'ebml-stream': parseWithEbmlStream, ebml: parseWithEbml } as const;

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { parser: text, source: text, sink: text, calls: text } });
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const ended: Promise<unknown>[] = [];
let next = 0;
await Promise.all(
  Array.from({ length: OPENING }, async () => {
    while (next < Number(values.calls)) await open(next++);
  }),
);
process.stdout.write(`${JSON.stringify({ event: 'open' })}\n`);
await Promise.all(ended);
agent.destroy();

async function open(call: number): Promise<void> {
  const socket = new WebSocket(`${values.sink.replace('http', 'ws')}/v1/listen?tag=${contactOf(call)}`, {
    perMessageDeflate: false,
  });
  await once(socket, 'open');
  const asking = request(`${values.source}/getMedia`, { method: 'POST', agent });
  asking.end(JSON.stringify({ StreamARN: streamArnOf(call) }));
  const [body] = (await once(asking, 'response')) as [IncomingMessage];
  forward(body, socket, call);
  body.once('end', () => socket.close());
  ended.push(once(socket, 'close'));
}

function forward(body: IncomingMessage, socket: WebSocket, call: number): void {
  if (values.parser === 'none') {
    body.on('data', (chunk: Buffer) => socket.send(chunk));
    return;
  }
  const parse = PARSERS[values.parser as keyof typeof PARSERS];
  body.pipe(parse(new Merger(contactOf(call), (pcm) => socket.send(pcm))));
}
