import type { ServerResponse } from 'node:http';
import { pageText } from './page-text.ts';

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const JAVASCRIPT = 'text/javascript; charset=utf-8';

/** The page's files and their media types. Links between them are relative, so that the page works under any path. */
const TYPES: Readonly<Record<string, string>> = {
  'page.html': HTML,
  'look.css': CSS,
  'page.css': CSS,
  'session-card.css': CSS,
  'page.js': JAVASCRIPT,
  'dom.js': JAVASCRIPT,
  'failed-calls.js': JAVASCRIPT,
  'feed.js': JAVASCRIPT,
  'instance.js': JAVASCRIPT,
  'lag-history.js': JAVASCRIPT,
  'news.js': JAVASCRIPT,
  'session-card.js': JAVASCRIPT,
  'session-list.js': JAVASCRIPT,
  'words.js': JAVASCRIPT,
};

/** Sent with every response: only the page's own files and data, no framing, no caching. */
export const PAGE_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

/** The status page's files, by name. */
export const PAGE_FILES: ReadonlyMap<string, PageFile> = new Map(
  Object.entries(TYPES).map(([name, type]) => [name, { type, body: Buffer.from(pageText(name)) }]),
);

/** The file at that path; `/` is the page itself. */
export function pageFileAt(path: string): PageFile | undefined {
  return PAGE_FILES.get(path === '/' ? 'page.html' : path.slice(1));
}

export function sendPageFile(response: ServerResponse, { type, body }: PageFile): void {
  response.writeHead(200, { ...PAGE_HEADERS, 'content-type': type, 'content-length': body.length }).end(body);
}
