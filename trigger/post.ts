import * as http from 'node:http';
import { BodyCutOff, BodyTooLarge, readBody } from '../daemon/runtime/bounded-body.ts';
import type { Clock, Millis } from '../daemon/runtime/clock.ts';

export type HttpResponse = {
  status: number;
  /** The Retry-After header, unparsed. */
  retryAfter: string | undefined;
  /** Undefined if it is longer than any response of integratord. */
  body: string | undefined;
};

/** No connection in time: nothing was sent. */
export class ConnectTimeout extends Error {
  override readonly name = 'ConnectTimeout';
}

/** The request was sent, but the deadline passed before the end of the response. */
export class ResponseTimeout extends Error {
  override readonly name = 'ResponseTimeout';
}

/** integratord's responses are a few hundred bytes; a longer body is from another server. */
const MAX_BODY_BYTES = 64 * 1024;

type PostOptions = {
  body: string;
  /** Called once connected, so that the signature's time and the time left are those of sending. */
  headers: () => Record<string, string>;
  clock: Clock;
  connectMs: Millis;
  /** Monotonic: post returns or throws before it. */
  deadlineMs: Millis;
};

/** One POST on a connection of its own. Throws ConnectTimeout, ResponseTimeout or Node's network error.
 *
 *  Connections are not reused: Lambda freezes between invocations and does not see the load balancer close one. The reset
 *  that follows would leave open whether the session was started, and the gain is about 1 ms. */
export async function post(
  url: URL,
  { body, headers, clock, connectMs, deadlineMs }: PostOptions,
): Promise<HttpResponse> {
  // TLS adds several milliseconds to a cold start, and most load balancers in a VPC use plain HTTP.
  const secure = url.protocol === 'https:';
  const { request } = secure ? await import('node:https') : http;
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const leftMs = () => Math.max(0, deadlineMs - clock.now());

  const outgoing = request(url, { method: 'POST', agent: false });
  let cancelTimeout = clock.after(Math.min(connectMs, leftMs()), () => {
    reject(new ConnectTimeout('no connection in time'));
  });
  const send = () => {
    cancelTimeout();
    cancelTimeout = clock.after(leftMs(), () => reject(new ResponseTimeout('no response in time')));
    for (const [name, value] of Object.entries(headers())) outgoing.setHeader(name, value);
    outgoing.end(body);
  };
  outgoing.once('socket', (socket) => socket.once(secure ? 'secureConnect' : 'connect', send));
  outgoing.once('response', (incoming) => readResponse(incoming).then(resolve, reject));
  outgoing.on('error', reject);
  try {
    return await promise;
  } finally {
    cancelTimeout();
    outgoing.destroy();
  }
}

async function readResponse(incoming: http.IncomingMessage): Promise<HttpResponse> {
  const head = { status: incoming.statusCode ?? 0, retryAfter: incoming.headers['retry-after'] };
  try {
    return { ...head, body: (await readBody(incoming, MAX_BODY_BYTES)).toString('utf8') };
  } catch (error) {
    if (error instanceof BodyTooLarge) return { ...head, body: undefined };
    // Node's error has the code by which a broken connection is told.
    throw error instanceof BodyCutOff ? error.cause : error;
  }
}
