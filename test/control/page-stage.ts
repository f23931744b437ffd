import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import type { EndedSession, SessionView, Status } from '../../daemon/contract/control-api.ts';
import { failedOf, overviewOf, overviewQuery } from '../../daemon/control/overview.ts';
import { PAGE_HEADERS, pageFileAt, sendPageFile } from '../../daemon/control/page-files.ts';
import { aStatus, NOW_EPOCH_MS } from '../ctl/examples.ts';

/** The page's polling interval. */
const POLL_EVERY_MS = 2000;

/** Serves the page like the daemon, over sessions and a state that a test sets. */
export class PageStage {
  sessions: readonly SessionView[] = [];
  status: Partial<Status> = {};
  history: readonly EndedSession[] = [];
  /** Replaces the response to an overview request. */
  refusal: { status: number; body: object } | undefined;
  /** The queries of all overview requests. */
  readonly queries: string[] = [];
  /** The daemon's clock: advances by exactly one polling interval per request, however slow the machine is. */
  nowEpochMs = NOW_EPOCH_MS;
  readonly url: string;

  static async open(t: ExecutionContext): Promise<PageStage> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.close();
      server.closeAllConnections();
    });
    const stage = new PageStage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    server.on('request', (request, response) => stage.#respond(request, response));
    return stage;
  }

  private constructor(url: string) {
    this.url = url;
  }

  #respond({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const file = pageFileAt(url);
    if (file) {
      sendPageFile(response, file);
      return;
    }
    const [path, query = ''] = url.split('?');
    const { status, body } =
      path === '/v1/overview' ? this.#overview(query) : { status: 404, body: { reason: 'not-found' } };
    response.writeHead(status, { ...PAGE_HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  #overview(query: string): { status: number; body: object } {
    this.queries.push(query);
    if (this.refusal) return this.refusal;
    this.nowEpochMs += POLL_EVERY_MS;
    const shown = overviewOf(this.#sessionsNow(), overviewQuery.parse(Object.fromEntries(new URLSearchParams(query))));
    const status = aStatus({ sessions: this.sessions.length, ...this.status });
    const body = { atEpochMs: this.nowEpochMs, status, failed: failedOf(this.history), ...shown };
    return { status: 200, body: { apiVersion: 1, ...body } };
  }

  /** The sessions, with lags that go up and down a little. */
  #sessionsNow(): SessionView[] {
    const varied = this.sessions.map((session, index) => {
      const share = 1 + 0.4 * Math.sin(this.queries.length * (0.5 + (index % 5) / 7) + index);
      const lagMs = session.lagMs * share;
      return { ...session, lagMs, worstLagMs: Math.max(lagMs, session.worstLagMs) };
    });
    return varied as SessionView[];
  }
}
