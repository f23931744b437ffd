import { connect, type OnReadOpts, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Millis } from '../../runtime/clock.ts';
import type { TimerWheel } from '../../runtime/timer-wheel.ts';
import { connectTls } from '../../runtime/tls.ts';
import { BadHttp } from './http-body.ts';
import { type Head, HeadReader } from './http-head.ts';
import { MediaBody, READ_BUFFER } from './media-body.ts';

/** What the SDK hands over to be sent: signed, and all but the request line and the framing. */
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

/** What the SDK hands on of an answer with the stream: it insists on a Readable, which nobody reads. */
export class MediaPayload extends Readable {
  readonly media: MediaBody;

  constructor(media: MediaBody) {
    super({ read: () => {} });
    this.media = media;
  }
}

type Failed = Error & { code?: string };

/** Of an error's answer. Kinesis says some hundred bytes; what stands between may say a page. */
const MAX_WORDS_BYTES = 64 * 1024;

/**
 * What the SDK sends GetMedia through. Node's http client reads as soon as anything comes and allocates 64 KiB for it;
 * a body that lasts as long as a call is read by the thread's timers instead, into one buffer for all (media-body.ts).
 * A connection carries one request: it lasts as long as a call, and Kinesis' own end of it is nothing special.
 */
export class MediaTransport {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #timers: TimerWheel;
  readonly #connectTimeoutMs: Millis;

  constructor(timers: TimerWheel, connectTimeoutMs: Millis) {
    this.#timers = timers;
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  /** Resolves with the answer's head. Rejects as Node's own client does: with the socket's error, or an AbortError. */
  async handle(
    request: HttpRequest,
    { abortSignal }: { readonly abortSignal?: object } = {},
  ): Promise<{ response: HttpResponse }> {
    const { head, body } = await this.#ask(request, abortSignal instanceof AbortSignal ? abortSignal : undefined);
    if (head.statusCode === 200) return { response: { ...head, body: new MediaPayload(body) } };
    return { response: { ...head, body: Readable.from(await wordsOf(head, body)) } };
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  /** What its closures share lives as long as the call: neither the request nor the answer's head is among it. */
  #ask(request: HttpRequest, signal: AbortSignal | undefined): Promise<{ head: Head; body: MediaBody }> {
    const answer = Promise.withResolvers<{ head: Head; body: MediaBody }>();
    const { promise } = answer;
    let asking: { readonly answer: typeof answer; readonly reader: HeadReader } | undefined = {
      answer,
      reader: new HeadReader(),
    };
    let body: MediaBody | undefined;
    const take = (bytes: Uint8Array): boolean => {
      if (!asking) {
        body?.take(bytes);
        return false;
      }
      const found = asking.reader.take(bytes);
      if (!found) return true;
      body = new MediaBody(socket, found.head.headers, this.#timers);
      if (found.rest.length > 0) body.take(found.rest);
      asking.answer.resolve({ head: found.head, body });
      asking = undefined;
      return false;
    };
    const callback = (length: number): boolean => {
      try {
        return take(READ_BUFFER.subarray(0, length));
      } catch (error) {
        socket.destroy(error as Error);
        return false;
      }
    };
    // Returning false is what makes it read no more until `resume`.
    const socket = this.#connect(request, { buffer: READ_BUFFER, callback });
    const abort = () => socket.destroy(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    let failure: Failed | undefined;
    socket.once('error', (error) => {
      failure = error;
    });
    socket.once('close', () => {
      signal?.removeEventListener('abort', abort);
      body?.end(failure);
      asking?.answer.reject(failure ?? Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
    });
    socket.write(headOf(request));
    if (request.body !== undefined) socket.write(request.body);
    return promise;
  }

  #connect({ protocol, hostname, port }: HttpRequest, onread: OnReadOpts): Socket {
    const socket =
      protocol === 'https:'
        ? connectTls({ host: hostname, port: port ?? 443, onread })
        : connect({ host: hostname, port: port ?? 80, onread });
    const late = () => socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
    socket.setTimeout(this.#connectTimeoutMs, late);
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () => socket.setTimeout(0));
    return socket;
  }
}

/** An error's body, a few words, which the SDK reads as an ordinary stream. Throws what broke it, and BadHttp when it goes on and on. */
async function wordsOf({ statusCode }: Head, body: MediaBody): Promise<Uint8Array[]> {
  const words: Uint8Array[] = [];
  let length = 0;
  for (let bytes = await body.next(); bytes; bytes = await body.next()) {
    // They are lent until the next are asked for.
    words.push(Buffer.from(bytes));
    length += bytes.length;
    if (length <= MAX_WORDS_BYTES) continue;
    body.close();
    throw new BadHttp(`HTTP ${statusCode} with a body of more than ${MAX_WORDS_BYTES} bytes`);
  }
  if (body.fault) throw body.fault;
  return words;
}

/** The request line and the headers. GetMedia has no query. */
function headOf({ method, path, headers }: HttpRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}connection: close\r\n\r\n`;
}
