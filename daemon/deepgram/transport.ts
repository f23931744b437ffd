import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { DeepgramTransport, DeepgramTransportCloseEvent, DeepgramTransportMessage } from '@deepgram/sdk';
import WebSocket from 'ws';
import { DeepgramRefused, DeepgramUnreachable } from './errors.ts';

/** The longest message we take: a final result with words and alternatives has some KiB. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * The SDK's seam for a socket of one's own. The SDK's default offers permessage-deflate, which costs CPU and gains
 * nothing on audio, and hides dg-error and dg-request-id of a refused handshake (deepgram.md); this one does neither.
 */
export class WsTransport implements DeepgramTransport {
  readonly socket: WebSocket;
  /** Settles with the handshake; rejects with DeepgramRefused or DeepgramUnreachable. */
  readonly opened: Promise<void>;
  /** What the WebSocket runs on, once it is open. */
  stream: Socket | undefined;
  /** The handshake's dg-request-id. */
  requestId: string | undefined;
  /** Called whenever the network has taken a message. */
  onTaken: () => void = () => {};
  #isCorked = false;

  constructor(url: string, headers: Record<string, string>) {
    const isEncrypted = url.startsWith('wss:');
    this.socket = new WebSocket(url, {
      headers,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      ...(isEncrypted && { generateMask: noMask }),
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
      this.stream = response.socket;
      this.requestId = header(response, 'dg-request-id');
    });
  }

  send(data: DeepgramTransportMessage): void {
    if (data instanceof Blob) throw new TypeError('a Blob cannot be sent without waiting for it');
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

  /** Sends audio as it is: past the SDK's own queues and events, which would cost as much again. */
  sendAudio(pcm: Uint8Array): void {
    this.#cork();
    this.socket.send(pcm, this.#taken);
  }

  sendPing(mark: number): void {
    this.#cork();
    this.socket.ping(String(mark));
  }

  /** What is sent in one go is written in one go: a write to the network costs more than all that is done to a message. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.stream?.cork();
    process.nextTick(this.#uncork);
  }

  readonly #uncork = () => {
    this.#isCorked = false;
    this.stream?.uncork();
  };

  readonly #taken = () => this.onTaken();
}

/**
 * RFC 6455, 10.3: masking keeps what a peer sends from being taken for something else by what lies between. Inside TLS
 * nothing lies between, and a mask of zeros, which `ws` sees and skips, saves a copy of all audio.
 */
function noMask(mask: Buffer): void {
  mask.fill(0);
}

function header(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
