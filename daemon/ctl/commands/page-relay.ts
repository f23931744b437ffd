import { type IncomingMessage, type RequestListener, request as requestFrom, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { isAddressedToLoopback } from '../../contract/browser-guard.ts';
import type { Clock, Millis } from '../../runtime/clock.ts';

/** The daemon responds within milliseconds; after this long it hangs. */
const RESPONSE_TIMEOUT_MS: Millis = 10_000;
/** A restart takes a few seconds. */
const RETRY_S = 5;
/** The page, its files and its data: read-only, without the parameters or the timeline of a session. */
const RELAYED = /^\/(?:[a-z-]+\.(?:html|css|js)|v1\/overview(?:\?.*)?)?$/;

/** Relays the parts of the control API that the status page needs to browsers, and nothing else. */
export function pageRelay(socketPath: string, clock: Clock): RequestListener {
  return (request, response) => {
    const { method, url = '' } = request;
    if (!isAddressedToLoopback(request)) {
      refuse(response, 421, 'wrong-host', `This is not ${request.headers.host}; use http://127.0.0.1`);
    } else if (method !== 'GET') {
      refuse(response, 405, 'read-only', 'The page is read-only; use integratorctl to change anything');
    } else if (!RELAYED.test(url)) {
      refuse(response, 404, 'not-found', `The page has no ${url}; see integratorctl --help`);
    } else relay(socketPath, url, response, clock.timeout(RESPONSE_TIMEOUT_MS));
  };
}

/** Forwards only the path: no header or body of the browser. */
function relay(socketPath: string, path: string, response: ServerResponse, timeout: AbortSignal): void {
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, timeout]);
  response.once('close', () => gone.abort());
  const outgoing = requestFrom({ socketPath, path, signal, agent: false });
  outgoing.once('error', (error) => {
    const message = `integratord does not respond on its control socket: ${error.message}.`;
    if (response.headersSent) response.destroy();
    else if (path === '/' || path.endsWith('.html')) sayGone(response, message);
    else refuse(response, 502, 'daemon-not-running', message);
  });
  outgoing.once('response', (incoming: IncomingMessage) => {
    response.writeHead(incoming.statusCode ?? 502, headersOf(incoming));
    // An error on one side closes the other; no one is left to report it to.
    pipeline(incoming, response, () => {});
  });
  outgoing.end();
}

/** All headers except those about the connection to the daemon. */
function headersOf({ headers }: IncomingMessage) {
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...rest } = headers;
  return rest;
}

/** For a reader who opens the page while no daemon runs: it appears once one does. */
function sayGone(response: ServerResponse, message: string): void {
  const headers = { 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff' };
  const text = message.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  response.writeHead(502, headers).end(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="${RETRY_S}">
<title>integratord is not running</title>
<h1>integratord is not running</h1>
<p>${text}</p>
<p>See <code>systemctl status integratord</code>. This page tries again every ${RETRY_S} seconds.</p>
</html>
`);
}

function refuse(response: ServerResponse, status: number, reason: string, message: string): void {
  const headers = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, headers).end(JSON.stringify({ reason, message }));
}
