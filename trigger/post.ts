import * as http from 'node:http';
import { BodyTooLarge, readBody } from '../daemon/runtime/bounded-body.ts';
import type { Clock, Millis } from '../daemon/runtime/clock.ts';

export type HttpAnswer = {
  status: number;
  /** The Retry-After header as it came. */
  retryAfter: string | undefined;
  /** Undefined when it is longer than anything that the integrator says. */
  body: string | undefined;
};

/** No connection within the time for it: nothing was sent. */
export class ConnectTimeout extends Error {
  override readonly name = 'ConnectTimeout';
}

/** The request was sent, and the deadline came before the end of the answer. */
export class AnswerTimeout extends Error {
  override readonly name = 'AnswerTimeout';
}

/** The integrator's answers are a few hundred bytes: more than this comes from somebody else. */
const MAX_BODY_BYTES = 64 * 1024;

export type PostOptions = {
  body: string;
  /** Called once connected: what it says about the time and the time left is true when it is sent. */
  headers: () => Record<string, string>;
  clock: Clock;
  connectMs: Millis;
  /** On the clock's monotonic time: by then the call has returned or thrown. */
  deadlineMs: Millis;
};

/** One POST on a connection of its own. Throws ConnectTimeout, AnswerTimeout or Node's network error.
 *
 *  No connection is kept for the next invocation: Lambda freezes in between and does not see the load balancer
 *  close it, and the reset that follows leaves open whether the session was started, all to save about 1 ms. */
export async function post(
  url: URL,
  { body, headers, clock, connectMs, deadlineMs }: PostOptions,
): Promise<HttpAnswer> {
  // Loading TLS costs a cold start several milliseconds, and most load balancers in a VPC speak plain HTTP.
  const secure = url.protocol === 'https:';
  const { request } = secure ? await import('node:https') : http;
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const leftMs = () => Math.max(0, deadlineMs - clock.now());

  const outgoing = request(url, { method: 'POST', agent: false });
  let cancelTimeout = clock.after(Math.min(connectMs, leftMs()), () => {
    reject(new ConnectTimeout('no connection in time'));
  });
  const send = () => {
    cancelTimeout();
    cancelTimeout = clock.after(leftMs(), () => reject(new AnswerTimeout('no answer in time')));
    for (const [name, value] of Object.entries(headers())) outgoing.setHeader(name, value);
    outgoing.end(body);
  };
  outgoing.once('socket', (socket) => socket.once(secure ? 'secureConnect' : 'connect', send));
  outgoing.once('response', (incoming) => readAnswer(incoming).then(resolve, reject));
  outgoing.on('error', reject);
  try {
    return await promise;
  } finally {
    cancelTimeout();
    outgoing.destroy();
  }
}

async function readAnswer(incoming: http.IncomingMessage): Promise<HttpAnswer> {
  const answer = { status: incoming.statusCode ?? 0, retryAfter: incoming.headers['retry-after'] };
  try {
    return { ...answer, body: (await readBody(incoming, MAX_BODY_BYTES)).toString('utf8') };
  } catch (error) {
    if (error instanceof BodyTooLarge) return { ...answer, body: undefined };
    throw error;
  }
}
