import type { IncomingMessage } from 'node:http';
import type { createConnection, Socket, TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DeepgramTransport, DeepgramTransportCloseEvent, DeepgramTransportMessage } from '@deepgram/sdk';
import WebSocket from 'ws';
import { systemClock } from '../runtime/clock.ts';
import type { Egress, Established } from '../runtime/egress.ts';
import type { TcpEnds } from '../runtime/tcp-queues.ts';
import { connectTls } from '../runtime/tls.ts';
import { DeepgramUnreachable } from './errors.ts';
import { FrameWriter } from './frames.ts';
import { header, refusalFrom } from './refusal.ts';

/** A final result with words and alternatives has some KiB. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** With the header of six bytes this makes four words, so audio after a ping stays word-aligned. */
const PING_DIGITS = 10;

/**
 * The SDK's transport. The default one offers permessage-deflate, which costs CPU and gains nothing on audio, and hides
 * dg-error and dg-request-id of a refused handshake (daemon/deepgram/README.md, "The SDK").
 */
export class WsTransport implements DeepgramTransport {
  readonly socket: WebSocket;
  /** Settles with the handshake; rejects with DeepgramRefused or DeepgramUnreachable. */
  readonly opened: Promise<void>;
  /** The handshake's dg-request-id. */
  requestId: string | undefined;
  /** Called when the kernel has taken a message. */
  onTaken: () => void = () => {};
  /** Set once the connection is open. */
  #frames: FrameWriter | undefined;
  /** The connection to the proxy, if one is used. */
  #toProxy: Duplex | undefined;
  #isAnsweringPing = false;
  /** The latest ping that came meanwhile. */
  #unansweredPing: Buffer | undefined;
  /** The two ends of the open connection; unset behind a proxy, whose TCP does not speak for Deepgram's. */
  ends: TcpEnds = {};

  constructor(url: string, headers: Record<string, string>, egress: Egress) {
    const isEncrypted = url.startsWith('wss:');
    const connectEncrypted = ({ host = '', port }: TcpNetConnectOpts, established: Established): Socket | undefined => {
      const peer = { host, port: Number(port) };
      // `ws`'s own connect creates a TLS context per connection and resumes no session.
      if (!egress.isProxied(host, peer.port)) return connectTls(peer);
      this.#toProxy = egress.tunnelTls(peer, established);
      return undefined;
    };
    this.socket = new WebSocket(url, {
      headers,
      perMessageDeflate: false,
      // It would end the connection, without a reason, when the kernel has not taken 60 pongs.
      autoPong: false,
      maxPayload: MAX_MESSAGE_BYTES,
      ...(isEncrypted && { createConnection: connectEncrypted as unknown as typeof createConnection }),
    });
    this.socket.once('close', () => this.#toProxy?.destroy());
    this.socket.on('ping', (payload) => this.#answerPing(payload));
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', (cause) => reject(new DeepgramUnreachable(new URL(url).host, cause)));
      this.socket.once('unexpected-response', (_request, response: IncomingMessage) => {
        void refusalFrom(response, systemClock).then((refusal) => {
          reject(refusal);
          this.socket.terminate();
        });
      });
    });
    this.socket.once('upgrade', (response: IncomingMessage) => {
      this.#frames = new FrameWriter(response.socket, isEncrypted, this.#taken);
      this.requestId = header(response, 'dg-request-id');
      if (this.#toProxy) return;
      const { localAddress, localPort, remoteAddress, remotePort } = response.socket;
      this.ends = { localAddress, localPort, remoteAddress, remotePort };
    });
  }

  send(data: DeepgramTransportMessage): void {
    if (data instanceof Blob) throw new TypeError('cannot send a Blob synchronously');
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

  /** Sends audio without the SDK's and `ws`'s queues, events and copies. */
  sendAudio(frames: Int32Array): void {
    this.#frames?.audio(frames);
  }

  sendPing(mark: number): void {
    this.#frames?.ping(String(mark).padStart(PING_DIGITS, '0'));
  }

  /** Bytes sent that the kernel has not taken yet. */
  get bufferedBytes(): number {
    return this.#frames?.bufferedBytes ?? 0;
  }

  /** RFC 6455, 5.5.3: of several pings, the latest needs a pong. One is on its way at a time. */
  #answerPing(payload: Buffer): void {
    if (this.#isAnsweringPing) {
      this.#unansweredPing = payload;
      return;
    }
    this.#isAnsweringPing = true;
    this.#frames?.flush();
    this.socket.pong(payload, undefined, this.#answeredPing);
  }

  readonly #answeredPing = () => {
    const next = this.#unansweredPing;
    this.#isAnsweringPing = false;
    this.#unansweredPing = undefined;
    if (next && this.isOpen()) this.#answerPing(next);
  };

  readonly #taken = () => this.onTaken();
}
