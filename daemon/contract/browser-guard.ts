import type { IncomingMessage } from 'node:http';

/** A web page elsewhere can let its own name point at a forwarded port (DNS rebinding); these names are nobody's but the
 *  machine's own. */
const OWN_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether the request was made to this machine by name: by a browser, that the page is one that this machine served. */
export function isAddressedToLoopback({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return OWN_NAMES.has(URL.parse(`http://${headers.host}`)?.hostname ?? '');
}

/** Whether a browser sent it: browsers name the page that asks with everything that may change something. */
export function isFromBrowser({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}
