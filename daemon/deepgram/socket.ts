import { DeepgramClient } from '@deepgram/sdk';
import { type DeepgramParams, LOCKED_PARAMS } from '../contract/deepgram-params.ts';
import { orAborted } from '../runtime/abort.ts';
import { systemClock } from '../runtime/clock.ts';
import { Egress } from '../runtime/egress.ts';
import { type TcpQueue, TcpQueues } from '../runtime/tcp-queues.ts';
import type { Secret } from '../secrets/secret.ts';
import { DeepgramRefused } from './errors.ts';
import { WsTransport } from './transport.ts';

type ListenV1 = DeepgramClient['listen']['v1'];
type ListenV1ConnectionArgs = Parameters<ListenV1['connect']>[0];
/** The SDK's socket. */
type ListenSocket = Awaited<ReturnType<ListenV1['connect']>>;

const UNAUTHORIZED = 401;
/** A ping's mark as `WsTransport.sendPing` writes it: a peer may send pongs of its own (RFC 6455, 5.5.3). */
const MARK = /^\d{10,15}$/;

/** `signal` ends a handshake. The SDK's own 10 s would end one that may take 20 s, as if Deepgram could not be reached. */
const SDK_TIMEOUT_S = 3600;

/** One reading serves all connections of this thread. */
const tcpQueues = new TcpQueues(systemClock);
const DIRECT = new Egress();

/** How to reach Deepgram. */
export interface DeepgramSettings {
  /** ws(s) URL to which the SDK appends /v1/listen. */
  readonly baseUrl: string;
  readonly key: Secret;
  /** How TLS connections leave; directly by default. */
  readonly egress?: Egress;
}

/** How a connection closed. */
export interface SocketClose {
  readonly code: number;
  /** The peer's words; for a connection that broke, those of `ws` or the system. */
  readonly reason: string;
}

/** One open WebSocket to /v1/listen. */
export interface DeepgramSocket {
  readonly requestId: string | undefined;
  /** Bytes sent that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /** False once a close frame has come: what is sent then is lost. `closed` follows when the TCP connection has ended. */
  readonly isOpen: boolean;
  /** Resolves when the connection is closed, for whatever reason; never rejects. */
  readonly closed: Promise<SocketClose>;
  /** Sends frames of 2-channel PCM (AudioRun) as one message. */
  sendAudio(frames: Int32Array): void;
  /** How much of what was written the peer's TCP has not acknowledged, by the kernel; undefined if that is unknown. */
  unacked(): Promise<TcpQueue | undefined>;
  /** Sends a ping; `onPong` gets its mark back once Deepgram has read everything sent before it. */
  ping(mark: number): void;
  sendKeepAlive(): void;
  /** Tells Deepgram that there is no more audio: it sends its last results and closes. */
  sendCloseStream(): void;
  /** Closes the connection now. */
  terminate(): void;
}

/** Callbacks of a connection. */
export interface SocketEvents {
  /** Called with each JSON message from Deepgram. */
  onMessage(message: unknown): void;
  /** Called with the mark of the ping; NaN for a pong that answers none of ours. */
  onPong(mark: number): void;
  /** `bufferedBytes` has decreased. */
  onTaken(): void;
}

/** Opens a connection with a session's parameters, as `openSocket` does. */
export type SocketOpener = (
  params: DeepgramParams,
  events: SocketEvents,
  signal: AbortSignal,
) => Promise<DeepgramSocket>;

/**
 * Opens a connection for 2-channel audio with a session's parameters. After a 401 it retries once, if the key has
 * changed meanwhile. Throws DeepgramRefused, DeepgramUnreachable, or the signal's reason.
 */
export async function openSocket(
  { baseUrl, key, egress = DIRECT }: DeepgramSettings,
  params: DeepgramParams,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<DeepgramSocket> {
  const apiKey = key.current;
  try {
    return await openWith({ baseUrl, apiKey, egress }, params, events, signal);
  } catch (error) {
    if (!(error instanceof DeepgramRefused && error.status === UNAUTHORIZED)) throw error;
    await orAborted(key.renew(), signal);
    if (key.current === apiKey) throw error;
    return openWith({ baseUrl, apiKey: key.current, egress }, params, events, signal);
  }
}

async function openWith(
  { baseUrl, apiKey, egress }: { baseUrl: string; apiKey: string; egress: Egress },
  params: DeepgramParams,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<DeepgramSocket> {
  signal.throwIfAborted();
  const transports = Promise.withResolvers<WsTransport>();
  const client = new DeepgramClient({
    apiKey,
    environment: { base: baseUrl, production: baseUrl, agent: baseUrl, agentRest: baseUrl },
    // The SDK's own reconnect loses audio (daemon/deepgram/README.md, "The SDK").
    reconnect: false,
    transportFactory: (url, headers) => {
      const transport = new WsTransport(url, headers, egress);
      transports.resolve(transport);
      return transport;
    },
  });
  // Outside of queryParams the SDK would take names such as `headers` or `debug` as its own options.
  const args: Partial<ListenV1ConnectionArgs> = {
    queryParams: { ...params, ...LOCKED_PARAMS },
    connectionTimeoutInSeconds: SDK_TIMEOUT_S,
  };
  const listen = await client.listen.v1.connect(args as ListenV1ConnectionArgs);
  listen.on('message', (message) => events.onMessage(message));
  listen.connect();
  const transport = await transports.promise;
  const { socket } = transport;
  transport.onTaken = () => events.onTaken();
  socket.on('pong', (payload) => {
    const text = payload.toString('latin1');
    events.onPong(MARK.test(text) ? Number(text) : Number.NaN);
  });
  let failure = '';
  socket.on('error', ({ message }) => {
    failure = message;
  });
  const closed = new Promise<SocketClose>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) || failure }));
  });
  await orAborted(transport.opened, signal, () => socket.terminate());
  return new OpenSocket(transport, listen, closed);
}

/** A class, because an object of closures would take a kilobyte of each call. */
class OpenSocket implements DeepgramSocket {
  readonly closed: Promise<SocketClose>;
  readonly #transport: WsTransport;
  readonly #listen: ListenSocket;

  constructor(transport: WsTransport, listen: ListenSocket, closed: Promise<SocketClose>) {
    this.#transport = transport;
    this.#listen = listen;
    this.closed = closed;
  }

  get requestId(): string | undefined {
    return this.#transport.requestId;
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes;
  }

  get isOpen(): boolean {
    return this.#transport.isOpen();
  }

  unacked(): Promise<TcpQueue | undefined> {
    return tcpQueues.of(this.#transport.ends);
  }

  sendAudio(frames: Int32Array): void {
    this.#transport.sendAudio(frames);
  }

  ping(mark: number): void {
    this.#transport.sendPing(mark);
  }

  sendKeepAlive(): void {
    this.#listen.sendKeepAlive({ type: 'KeepAlive' });
  }

  sendCloseStream(): void {
    this.#listen.sendCloseStream({ type: 'CloseStream' });
  }

  terminate(): void {
    this.#transport.socket.terminate();
  }
}
