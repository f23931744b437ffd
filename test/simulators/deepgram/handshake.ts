import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { BadParameter, type ListenParams, listenParams } from './params.ts';

/** The response to a handshake that Deepgram refuses. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
    this.code = ERROR_CODES[status] ?? (STATUS_CODES[status] ?? 'ERROR').toUpperCase().replaceAll(' ', '_');
  }
}

/** Deepgram's own names for common statuses. */
const ERROR_CODES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'INVALID_AUTH',
  402: 'ASR_PAYMENT_REQUIRED',
  403: 'INSUFFICIENT_PERMISSIONS',
  429: 'TOO_MANY_REQUESTS',
};

/** Checks path, key and query of a handshake. Throws Refusal. */
export function checkedHandshake(request: IncomingMessage, apiKey: string): ListenParams {
  const url = new URL(request.url ?? '/', 'ws://simulator');
  if (url.pathname !== '/v1/listen') throw new Refusal(404, `no such endpoint: ${url.pathname}`);
  if (request.headers.authorization !== `Token ${apiKey}`) throw new Refusal(401, 'Invalid credentials.');
  try {
    return listenParams(url.searchParams);
  } catch (error) {
    if (error instanceof BadParameter) throw new Refusal(400, error.message);
    throw error;
  }
}

/** Answers a handshake like a proxy on the way to Deepgram, with this status, headers and body. */
export function refuseWith(socket: Duplex, status: number, headers: Record<string, string>, body: string): void {
  const all = { connection: 'close', 'content-length': String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`, ...lines, '', body].join('\r\n'));
}

/** Answers a handshake with an HTTP response and closes the connection. */
export function refuse(socket: Duplex, refusal: Refusal, requestId: string): void {
  const body = JSON.stringify({ err_code: refusal.code, err_msg: refusal.message, request_id: requestId });
  socket.end(
    [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? 'Refused'}`,
      'connection: close',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      `dg-request-id: ${requestId}`,
      `dg-error: ${refusal.message.replace(/[^\x20-\x7e]/g, '?')}`,
      '',
      body,
    ].join('\r\n'),
  );
}
