import { request as ask, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { isAddressedToLoopback } from '../../contract/browser-guard.ts';
import type { Clock, Millis } from '../../runtime/clock.ts';

/** A daemon that has not answered by then hangs. */
const ANSWER_TIMEOUT_MS: Millis = 10_000;
/** The page, its files and its data: none tells a session's parameters or its timeline, and none changes anything. */
const RELAYED = /^\/(?:[a-z-]+\.(?:html|css|js)|v1\/overview(?:\?.*)?)?$/;

/** Hands what the status page needs from the control socket to browsers, and nothing else of it. */
export function pageRelay(socketPath: string, clock: Clock): RequestListener {
  return (request, response) => {
    const { method, url = '' } = request;
    if (!isAddressedToLoopback(request)) {
      refuse(response, 421, 'wrong-host', `There is no ${request.headers.host} here; ask for http://127.0.0.1`);
    } else if (method !== 'GET') {
      refuse(response, 405, 'read-only', 'The page can only be looked at; integratorctl changes things');
    } else if (!RELAYED.test(url)) {
      refuse(response, 404, 'not-found', `There is no ${url} on the page; integratorctl --help says who tells more`);
    } else relay(socketPath, url, response, clock.timeout(ANSWER_TIMEOUT_MS));
  };
}

/** Nothing that the browser sent goes on but the path. */
function relay(socketPath: string, path: string, response: ServerResponse, timeout: AbortSignal): void {
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, timeout]);
  response.once('close', () => gone.abort());
  const asked = ask({ socketPath, path, signal, agent: false });
  asked.once('error', (error) => {
    const message = `integratord does not answer at its control socket: ${error.message}.`;
    if (response.headersSent) response.destroy();
    else refuse(response, 502, 'daemon-not-running', message);
  });
  asked.once('response', (answer: IncomingMessage) => {
    response.writeHead(answer.statusCode ?? 502, headersOf(answer));
    // What breaks on one side ends the other; there is nobody to tell.
    pipeline(answer, response, () => {});
  });
  asked.end();
}

/** All but those that speak of the connection that they came by. */
function headersOf({ headers }: IncomingMessage) {
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...rest } = headers;
  return rest;
}

function refuse(response: ServerResponse, status: number, reason: string, message: string): void {
  const headers = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, headers).end(JSON.stringify({ reason, message }));
}
