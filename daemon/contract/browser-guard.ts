import type { IncomingMessage } from 'node:http';

/** A foreign web page can point its own host name at a forwarded port (DNS rebinding), but not these names. */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** True if the request names this machine as its host: a browser sends it only for a page that this machine served. */
export function isAddressedToLoopback({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return LOOPBACK_NAMES.has(URL.parse(`http://${headers.host}`)?.hostname ?? '');
}

/** True if a browser sent the request: browsers add one of these headers to every request that may change something. */
export function isFromBrowser({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}
