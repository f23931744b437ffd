import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isAddressedToLoopback } from '../../daemon/contract/browser-guard.ts';
import { PAGE_FILES, PAGE_HEADERS, type PageFile } from '../../daemon/control/page-files.ts';
import { pageRelay } from '../../daemon/ctl/commands/page-relay.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import type { CallView } from './call.ts';
import type { CallBook } from './call-book.ts';
import { closeNow, listenOnLoopback } from './loopback.ts';

interface PageOptions {
  readonly port: number;
  readonly book: CallBook;
  /** integratord's control socket, now or later. */
  readonly controlSocket: string;
  /** The transcriber's name, for the page's header. */
  readonly transcriber: string;
  /** Whether calls are played at the speed at which they were spoken: else their lag means nothing. */
  readonly isRealTime: boolean;
  /** Phrases per call. */
  readonly expected: number;
  /** Plays the sample call again; returns false if it cannot now. Undefined if the page may not. */
  readonly playAgain: (() => boolean) | undefined;
  /** Breaks everything in mid-sentence; returns false if it cannot now. Undefined if the page may not. */
  readonly breakAll: (() => boolean) | undefined;
}

interface Page {
  readonly url: string;
  close(): void;
}

/** The demo's own files, and those of the daemon's page that it uses. */
const FILES: ReadonlyMap<string, PageFile> = new Map([
  ['/', { type: 'text/html; charset=utf-8', body: fileBeside('page.html') }],
  ['/call.css', { type: 'text/css; charset=utf-8', body: fileBeside('call.css') }],
  ['/follower.js', { type: 'text/javascript; charset=utf-8', body: fileBeside('follower.js') }],
  ['/page.js', { type: 'text/javascript; charset=utf-8', body: fileBeside('page.js') }],
  ...[...PAGE_FILES].map(([name, file]) => [`/page/${name}`, file] as const),
]);
/** What the page's buttons ask for. */
const ORDERS = {
  'POST /calls': {
    act: 'playAgain',
    done: 'The call is being made.',
    notNow: 'No call can be made now: wait for one to end.',
  },
  'POST /breaks': {
    act: 'breakAll',
    done: 'It breaks in the next sentence.',
    notNow: 'Nothing can be broken now: wait for a call, or for the current break to end.',
  },
} as const;
/** The daemon's own page is served below this path. */
const INSTANCE = '/instance';
/** Delay before a page reconnects. */
const RECONNECT_MS = 1000;
/** A page that is this far behind is disconnected; it gets the whole state when it reconnects. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** Serves the page and keeps it up to date with Server-Sent Events. Throws DemoFailed if the port is taken. */
export async function servePage(options: PageOptions): Promise<Page> {
  const watching = new Set<ServerResponse>();
  const stopListening = options.book.listen((call) => {
    for (const response of watching) sendEvent(response, 'call', call);
  });
  const showInstance = pageRelay(options.controlSocket, systemClock);
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
    const route = `${request.method} ${request.url}`;
    const { url: path = '' } = request;
    const file = request.method === 'GET' ? FILES.get(path) : undefined;
    if (!isAddressedToLoopback(request))
      answer(response, 421, 'Open the page as http://127.0.0.1 or http://localhost.');
    else if (file) answer(response, 200, file.body, file.type);
    else if (path.startsWith(`${INSTANCE}/`)) {
      request.url = path.slice(INSTANCE.length);
      showInstance(request, response);
    } else if (route === 'GET /events') watch(response, options, watching);
    else if (route in ORDERS) obey(request, response, options, ORDERS[route as keyof typeof ORDERS]);
    else answer(response, 404, `There is no ${route} here.`);
  });
  const url = await listenOnLoopback(server, options.port);
  return {
    url,
    close() {
      stopListening();
      closeNow(server);
    },
  };
}

/** Sends the current state, then each call that changes. */
function watch(
  response: ServerResponse,
  { book, transcriber, isRealTime, expected, playAgain }: PageOptions,
  watching: Set<ServerResponse>,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`retry: ${RECONNECT_MS}\n\n`);
  sendEvent(response, 'all', {
    transcriber,
    isRealTime,
    expected,
    canPlay: playAgain !== undefined,
    calls: book.views(),
  });
  watching.add(response);
  response.on('close', () => watching.delete(response));
}

function sendEvent(response: ServerResponse, name: 'all' | 'call', data: CallView | object): void {
  if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  else response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

function obey(
  { headers }: IncomingMessage,
  response: ServerResponse,
  options: PageOptions,
  { act, done, notNow }: (typeof ORDERS)[keyof typeof ORDERS],
): void {
  if (headers.origin !== `http://${headers.host}`) answer(response, 403, "Only this page's own buttons may do this.");
  else if (options[act]?.()) answer(response, 202, done);
  else answer(response, 409, notNow);
}

function answer(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}

function fileBeside(name: string): Buffer {
  return readFileSync(new URL(name, import.meta.url));
}
