import { connect, type OnReadOpts, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { orAborted } from '../../runtime/abort.ts';
import { readBody } from '../../runtime/bounded-body.ts';
import type { Millis } from '../../runtime/clock.ts';
import { Egress } from '../../runtime/egress.ts';
import type { TimerWheel } from '../../runtime/timer-wheel.ts';
import { connectTls } from '../../runtime/tls.ts';
import { type Head, HeadReader } from './http-head.ts';
import { MediaBody, nextOf, READ_BUFFER } from './media-body.ts';

/** What the SDK passes to a transport: signed, complete but for the request line and the framing. */
interface HttpRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

/** The payload of a response: the SDK requires a Readable, which is never read. */
export class MediaPayload extends Readable {
  readonly media: MediaBody;

  constructor(media: MediaBody) {
    super({ read: () => {} });
    this.media = media;
  }
}

type Failed = Error & { code?: string };

/** Limit for an error's body. Kinesis sends some hundred bytes; a proxy may send a page. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * The SDK's transport for GetMedia. Node's HTTP client reads whenever bytes arrive, and allocates 64 KiB each time;
 * here the thread's timers decide when to read, into one buffer for all calls (media-body.ts). A connection carries one
 * request, because it lasts as long as a call.
 */
export class MediaTransport {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #timers: TimerWheel;
  readonly #connectTimeoutMs: Millis;
  readonly #egress: Egress;

  constructor(timers: TimerWheel, connectTimeoutMs: Millis, egress = new Egress()) {
    this.#timers = timers;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#egress = egress;
  }

  /** Resolves with the response's head. Rejects as Node's client does: with the socket's error, or an AbortError. */
  async handle(
    request: HttpRequest,
    { abortSignal }: { readonly abortSignal?: object } = {},
  ): Promise<{ response: HttpResponse }> {
    const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined;
    const { head, body } = await this.#send(request, signal, await this.#tunnel(request, signal));
    if (head.statusCode === 200) return { response: { ...head, body: new MediaPayload(body) } };
    return { response: { ...head, body: Readable.from([await errorBody(body)]) } };
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  /** Its closures live as long as the call, so they must not hold the request or the response's head. */
  #send(
    request: HttpRequest,
    signal: AbortSignal | undefined,
    tunnel: TLSSocket | undefined,
  ): Promise<{ head: Head; body: MediaBody }> {
    const response = Promise.withResolvers<{ head: Head; body: MediaBody }>();
    const { promise } = response;
    let pending: { readonly response: typeof response; readonly reader: HeadReader } | undefined = {
      response,
      reader: new HeadReader(),
    };
    let body: MediaBody | undefined;
    const take = (bytes: Buffer, length: number): boolean => {
      if (!pending) return body?.take(bytes, length) ?? false;
      const found = pending.reader.take(bytes.subarray(0, length));
      if (!found) return true;
      body = new MediaBody(socket, found.head.headers, this.#timers);
      if (found.rest.length > 0) body.take(found.rest);
      pending.response.resolve({ head: found.head, body });
      pending = undefined;
      return false;
    };
    const receive = (bytes: Buffer, length: number): boolean => {
      try {
        return take(bytes, length);
      } catch (error) {
        socket.destroy(error as Error);
        return false;
      }
    };
    // Returning false stops reading until the next `resume`; one that came during the callback does not count.
    const callback = (length: number) => receive(READ_BUFFER, length);
    const socket = tunnel ?? this.#connect(request, { buffer: READ_BUFFER, callback });
    // Node ignores `onread` on a connection within a connection.
    tunnel?.on('data', (bytes) => {
      if (!receive(bytes, bytes.length)) tunnel.pause();
    });
    const abort = () => socket.destroy(aborted());
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    let failure: Failed | undefined;
    socket.once('error', (error) => {
      failure = error;
    });
    socket.once('close', () => {
      signal?.removeEventListener('abort', abort);
      body?.end(failure);
      pending?.response.reject(failure ?? Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
    });
    socket.write(headOf(request));
    if (request.body !== undefined) socket.write(request.body);
    return promise;
  }

  /** The connection through the proxy; undefined where none applies. */
  async #tunnel(
    { protocol, hostname: host, port = 443 }: HttpRequest,
    signal: AbortSignal | undefined,
  ): Promise<TLSSocket | undefined> {
    if (protocol !== 'https:' || !this.#egress.isProxied(host, port)) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket | undefined>();
    const established = (error: Error | null, socket?: TLSSocket) => (error ? reject(error) : resolve(socket));
    const toProxy = this.#egress.tunnelTls({ host, port }, established, this.#connectTimeoutMs);
    return signal ? orAborted(promise, signal, () => toProxy.destroy()) : promise;
  }

  #connect({ protocol, hostname, port }: HttpRequest, onread: OnReadOpts): Socket {
    const socket =
      protocol === 'https:'
        ? connectTls({ host: hostname, port: port ?? 443, onread })
        : connect({ host: hostname, port: port ?? 80, onread });
    const late = () => socket.destroy(Object.assign(new Error('connection timed out'), { code: 'ETIMEDOUT' }));
    socket.setTimeout(this.#connectTimeoutMs, late);
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () => socket.setTimeout(0));
    return socket;
  }
}

function aborted(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError' });
}

/** The body of an error, which the SDK reads as an ordinary stream. Throws what broke it, or BodyTooLarge. */
async function errorBody(body: MediaBody): Promise<Buffer> {
  try {
    return await readBody(copiesOf(body), MAX_ERROR_BYTES);
  } catch (error) {
    throw body.fault ?? error;
  } finally {
    body.close();
  }
}

/** Copies, because the bytes are valid until the next call. Throws what broke the body. */
async function* copiesOf(body: MediaBody): AsyncGenerator<Buffer> {
  for (let bytes = await nextOf(body); bytes; bytes = await nextOf(body)) yield Buffer.from(bytes);
  if (body.fault) throw body.fault;
}

/** The request line and the headers. GetMedia has no query. */
function headOf({ method, path, headers }: HttpRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}connection: close\r\n\r\n`;
}
