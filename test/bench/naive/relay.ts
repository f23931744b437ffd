/**
 * What a Node user would write today: reads each call from GetMedia and forwards it to a WebSocket. With the parser
 * `none` it forwards the bytes unparsed.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { parseArgs } from 'node:util';
import type WebSocket from 'ws';
import { contactIdOf, fragmentNumberOf, REGION, streamArnOf } from '../../load/identity.ts';
import { openDeepgramSocket } from './deepgram-socket.ts';
import { parseWithEbml } from './ebml.ts';
import { parseWithEbmlStream } from './ebml-stream.ts';
import { Merger } from './merger.ts';

/** Calls that are being opened at the same time. */
const OPENING = 20;

/** Nothing verifies it, and signing is not part of the comparison. */
const SIGNATURE = `AWS4-HMAC-SHA256 Credential=relay/20260101/${REGION}/kinesisvideo/aws4_request, Signature=none`;

const PARSERS = { 'ebml-stream': parseWithEbmlStream, ebml: parseWithEbml } as const;

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { parser: text, kinesis: text, deepgram: text, calls: text } });
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
  const socket = await openDeepgramSocket(values.deepgram, call, values.parser === 'none' ? 'mkv' : 'pcm');
  const headers = { authorization: SIGNATURE };
  const asking = request(`${values.kinesis}/getMedia`, { method: 'POST', agent, headers });
  const start = { StartSelectorType: 'FRAGMENT_NUMBER', AfterFragmentNumber: fragmentNumberOf(call, 0) };
  asking.end(JSON.stringify({ StreamARN: streamArnOf(call), StartSelector: start }));
  const [body] = (await once(asking, 'response')) as [IncomingMessage];
  if (body.statusCode !== 200) throw new Error(`GetMedia of call ${call} was refused with ${body.statusCode}`);
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
  body.pipe(parse(new Merger(contactIdOf(call), (pcm) => socket.send(pcm))));
}
