import type { IncomingMessage } from 'node:http';
import type { createConnection, Socket, TcpNetConnectOpts } from 'node:net';
import type { DeepgramTransport, DeepgramTransportCloseEvent, DeepgramTransportMessage } from '@deepgram/sdk';
import WebSocket from 'ws';
import { connectTls } from '../runtime/tls.ts';
import { DeepgramRefused, DeepgramUnreachable } from './errors.ts';
import { FrameWriter } from './frames.ts';

/** The longest message we take: a final result with words and alternatives has some KiB. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** With the frame's header of six bytes four words: what follows it lies at a whole word again. */
const PING_DIGITS = 10;

/**
 * The SDK's seam for a socket of one's own. The SDK's default offers permessage-deflate, which costs CPU and gains
 * nothing on audio, and hides dg-error and dg-request-id of a refused handshake (daemon/deepgram/README.md); this one does neither.
 */
export class WsTransport implements DeepgramTransport {
  readonly socket: WebSocket;
  /** Settles with the handshake; rejects with DeepgramRefused or DeepgramUnreachable. */
  readonly opened: Promise<void>;
  /** The handshake's dg-request-id. */
  requestId: string | undefined;
  /** Called whenever the network has taken a message. */
  onTaken: () => void = () => {};
  /** Once it is open. */
  #frames: FrameWriter | undefined;

  constructor(url: string, headers: Record<string, string>) {
    const isEncrypted = url.startsWith('wss:');
    this.socket = new WebSocket(url, {
      headers,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      ...(isEncrypted && { createConnection: connectEncrypted as typeof createConnection }),
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', (cause) => reject(new DeepgramUnreachable(new URL(url).host, cause)));
      this.socket.once('unexpected-response', (_request, response: IncomingMessage) => {
        reject(
          new DeepgramRefused(
            response.statusCode ?? 0,
            header(response, 'dg-error'),
            header(response, 'dg-request-id'),
          ),
        );
        this.socket.terminate();
      });
    });
    this.socket.once('upgrade', (response: IncomingMessage) => {
      this.#frames = new FrameWriter(response.socket, isEncrypted, this.#taken);
      this.requestId = header(response, 'dg-request-id');
    });
  }

  send(data: DeepgramTransportMessage): void {
    if (data instanceof Blob) throw new TypeError('a Blob cannot be sent without waiting for it');
    this.#frames?.flush();
    this.socket.send(data, this.#taken);
  }

  onOpen(listener: () => void): void {
    this.socket.on('open', listener);
  }

  onMessage(listener: (message: string) => void): void {
    this.socket.on('message', (data) => listener(String(data)));
  }

  onError(listener: (error: Error) => void): void {
    this.socket.on('error', listener);
  }

  onClose(listener: (event: DeepgramTransportCloseEvent) => void): void {
    this.socket.on('close', (code, reason) => listener({ code, reason: String(reason) }));
  }

  isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  close(code?: number, reason?: string): void {
    this.socket.close(code, reason);
  }

  /** Sends audio past the SDK's and the socket's own queues, events and copies. */
  sendAudio(pcm: Uint8Array): void {
    this.#frames?.audio(pcm);
  }

  sendPing(mark: number): void {
    this.#frames?.ping(String(mark).padStart(PING_DIGITS, '0'));
  }

  /** Bytes handed over that the network has not taken yet. */
  get bufferedBytes(): number {
    return this.socket.bufferedAmount + (this.#frames?.pendingBytes ?? 0);
  }

  readonly #taken = () => this.onTaken();
}

/** Takes the place of `ws`' own connecting, which makes a TLS context for each connection and resumes none. */
function connectEncrypted({ host = '', port }: TcpNetConnectOpts): Socket {
  return connectTls({ host, port: Number(port) });
}

function header(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
