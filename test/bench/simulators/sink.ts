/** Deepgram for a benchmark: counts and checks what it gets, per tag, and says nothing. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import { WebSocketServer } from 'ws';
import { answerJson, serve } from '../../simulators/serve.ts';

/** What has come of one call. */
export interface Received {
  bytes: number;
  /** CRC-32 of all bytes. */
  crc: number;
  connections: number;
}

const calls = new Map<string, Received>();
let open = 0;
let totalBytes = 0;

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  if (request.url === '/totals') answerJson(response, 200, { bytes: totalBytes, open });
  else answerJson(response, 200, Object.fromEntries(calls));
});

new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket, { url = '' }) => {
  const tag = new URL(url, 'ws://sink').searchParams.get('tag') ?? '';
  const call = calls.get(tag) ?? { bytes: 0, crc: 0, connections: 0 };
  calls.set(tag, call);
  call.connections++;
  open++;
  socket.on('close', () => open--);
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) {
      totalBytes += data.length;
      call.bytes += data.length;
      call.crc = crc32(data, call.crc);
    } else if (JSON.parse(data.toString()).type === 'CloseStream') {
      socket.close(1000);
    }
  });
});

await serve(server, 0);
process.once('SIGTERM', () => process.exit());
