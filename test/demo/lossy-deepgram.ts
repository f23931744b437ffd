import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** 8 kHz, two 16-bit channels. */
const BYTES_PER_MS = 32;

interface LossyDeepgram {
  readonly url: string;
  close(): void;
}

/** A proxy for the Deepgram at `url` that replaces the audio from `fromMs` to `toMs` of each stream with silence. */
export async function losesAudio(url: string, fromMs: number, toMs: number): Promise<LossyDeepgram> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (client, { url: path, headers }) => {
    const upstream = new WebSocket(`${url.replace('http', 'ws')}${path}`, {
      headers: { authorization: headers.authorization },
    });
    const open = once(upstream, 'open');
    let receivedBytes = 0;
    client.on('message', async (data: Buffer, isBinary) => {
      if (isBinary) {
        silence(data, fromMs * BYTES_PER_MS - receivedBytes, toMs * BYTES_PER_MS - receivedBytes);
        receivedBytes += data.length;
      }
      await open;
      upstream.send(data, { binary: isBinary });
    });
    upstream.on('message', (data: Buffer) => client.send(data.toString()));
    upstream.on('close', (code, reason) => client.close(code, reason));
    client.on('close', () => upstream.close());
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

function silence(audio: Buffer, from: number, to: number): void {
  audio.fill(0, Math.min(Math.max(from, 0), audio.length), Math.min(Math.max(to, 0), audio.length));
}
