import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { CallbackTarget } from './params.ts';

/** Delivers one message to a callback; rejects if it fails. */
export interface Delivery {
  deliver(body: string): Promise<void>;
  /** No message will follow. */
  close(): void;
}

/** Identifies the API key, as Deepgram does, without revealing it. */
const DG_TOKEN = 'simulator-key-id';
/** Timeout of a delivery. */
const DELIVERY_TIMEOUT_MS = 10_000;

/** Delivers to the callback's URL: requests for http, one connection for ws. */
export function deliveryTo({ url, method }: CallbackTarget, signal: AbortSignal): Delivery {
  const address = new URL(url);
  const headers: Record<string, string> = { 'dg-token': DG_TOKEN };
  if (url.username !== '' || url.password !== '') {
    const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(user).toString('base64')}`;
  }
  address.username = '';
  address.password = '';
  if (address.protocol.startsWith('ws')) return new WebSocketDelivery(address, headers, signal);
  return { deliver: (body) => request(address, method, headers, body, signal), close: () => {} };
}

async function request(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    body,
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(DELIVERY_TIMEOUT_MS)]),
  });
  // The connection can be reused only after the response has been read.
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the callback answered ${response.status}`);
}

/** Keeps one connection open; replaces it if it is lost. */
class WebSocketDelivery implements Delivery {
  readonly #url: URL;
  readonly #headers: Record<string, string>;
  readonly #signal: AbortSignal;
  #socket: WebSocket | undefined;

  constructor(url: URL, headers: Record<string, string>, signal: AbortSignal) {
    this.#url = url;
    this.#headers = headers;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#socket?.terminate(), { once: true });
  }

  async deliver(body: string): Promise<void> {
    const socket = await this.#open();
    await new Promise<void>((resolve, reject) => {
      socket.send(body, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.#socket?.close();
  }

  async #open(): Promise<WebSocket> {
    if (this.#socket?.readyState === WebSocket.OPEN) return this.#socket;
    const socket = new WebSocket(this.#url, { headers: this.#headers, handshakeTimeout: DELIVERY_TIMEOUT_MS });
    this.#socket = socket;
    await once(socket, 'open', { signal: this.#signal });
    // A later error shows when the next message is sent.
    socket.on('error', () => socket.terminate());
    return socket;
  }
}
