import { once } from 'node:events';
import { link, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type {
  Check,
  DrainView,
  EndedDetails,
  LevelOfLog,
  ResultsStatus,
  RetriedLetters,
  SessionDetails,
  SessionView,
  Status,
  Stopped,
} from '../../daemon/contract/control-api.ts';
import { REFUSAL, SHAPES } from './contract-shapes.ts';
import { aDrain, aSession, aStatus } from './examples.ts';

/** A request that the fake daemon received. */
interface ReceivedRequest {
  readonly request: string;
  readonly body: Record<string, unknown> | undefined;
}

export interface Reply {
  readonly status: number;
  readonly body: object;
}

export const ok = (body: object): Reply => ({ status: 200, body: { apiVersion: 1, ...body } });
export const refusal = (status: number, reason: string, message = `not now: ${reason}`): Reply => ({
  status,
  body: { reason, message },
});

/** Serves the control API on a UNIX socket; the test sets its fields, which are its responses. */
export class FakeDaemon {
  readonly socketPath: string;
  readonly requests: ReceivedRequest[] = [];
  sessions: readonly SessionView[] = [aSession()];
  details: Omit<SessionDetails, 'session'> = { params: {}, timeline: [] };
  history: readonly EndedDetails[] = [];
  status: Status = aStatus();
  drain: DrainView | undefined;
  checks: readonly Check[] = [];
  settings: Readonly<Record<string, unknown>> = {};
  results: ResultsStatus = { backlog: 0, oldestAgeMs: 0, deadLetters: 0, place: '/var/lib/integratord/dead-letters' };
  retried: RetriedLetters = { delivered: 0, left: 0, unreadable: 0, notRemoved: 0 };
  level: LevelOfLog = { level: 'info', configured: 'info' };
  /** How a stopped session ends. */
  stopped: Pick<Stopped, 'outcome' | 'reason' | 'error'> = { outcome: 'completed', reason: 'stopped' };
  /** How long it blocks its process, and accepts no connection, after each list of sessions. */
  busyMs = 0;
  /** Overrides responses, by `METHOD /path`; a pending promise delays one. */
  readonly instead = new Map<string, Reply | Promise<Reply>>();
  readonly #server: Server;
  readonly #directory: string;
  readonly #listeners = new Set<() => void>();

  /** @param killable its socket stays when it leaves, as that of a killed daemon does */
  static async open({ killable = false } = {}): Promise<FakeDaemon> {
    const directory = await mkdtemp(join(tmpdir(), 'ctl-'));
    const server = createServer();
    const listened = join(directory, 'listened.sock');
    const socketPath = killable ? join(directory, 'control.sock') : listened;
    server.listen(listened);
    await once(server, 'listening');
    if (killable) await link(listened, socketPath);
    return new FakeDaemon(server, directory, socketPath);
  }

  private constructor(server: Server, directory: string, socketPath: string) {
    this.#server = server;
    this.#directory = directory;
    this.socketPath = socketPath;
    server.on('request', async (request, response) => {
      const { status, body } = await this.#reply(request);
      if (this.busyMs > 0 && request.url === '/v1/sessions') response.once('finish', () => block(this.busyMs));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  /** Closes its server and all connections, as a process that exits. */
  async leave(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.leave();
    await rm(this.#directory, { recursive: true });
  }

  /** The bodies of all such requests so far. */
  bodiesOf(request: string): ReceivedRequest['body'][] {
    return this.requests.filter((each) => each.request === request).map(({ body }) => body);
  }

  /** Resolves once it has received the request `times` times. */
  async received(request: string, times = 1): Promise<void> {
    while (this.bodiesOf(request).length < times) await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }

  async #reply(incoming: IncomingMessage): Promise<Reply> {
    const sent = await text(incoming);
    const request = `${incoming.method} ${incoming.url}`;
    this.requests.push({ request, body: sent === '' ? undefined : JSON.parse(sent) });
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
    const reply = (await this.instead.get(request)) ?? this.#usual(request, this.requests.at(-1)?.body);
    if (reply.status !== 200) REFUSAL.parse(reply.body);
    else if ('apiVersion' in reply.body && reply.body.apiVersion === 1) shapeOf(request).parse(reply.body);
    return reply;
  }

  #usual(request: string, body: ReceivedRequest['body']): Reply {
    const [, id] = /^\w+ \/v1\/sessions\/([^/]+)/.exec(request) ?? [];
    if (id !== undefined) return this.#session(id, request.endsWith('/stop'));
    const [, endedId] = /^GET \/v1\/history\/([^/]+)/.exec(request) ?? [];
    if (endedId !== undefined) return this.#ended(decodeURIComponent(endedId));
    if (request.endsWith(' /v1/drain')) return this.#drain(request, body);
    switch (request) {
      case 'GET /v1/sessions':
        return ok({ sessions: this.sessions });
      case 'GET /v1/history':
        return ok({ ended: this.history.map(({ ended }) => ended) });
      case 'GET /v1/status':
        return ok(this.status);
      case 'POST /v1/cordon':
      case 'POST /v1/uncordon':
        if (this.drain) return refusal(409, 'draining');
        return ok({ state: request.endsWith('/cordon') ? 'cordoned' : 'serving', unchanged: false });
      case 'POST /v1/log-level':
        this.level = { ...this.level, ...(body as Pick<LevelOfLog, 'level'>) };
        return ok(this.level);
      case 'GET /v1/log-level':
        return ok(this.level);
      case 'GET /v1/config':
        return ok({ settings: this.settings });
      case 'GET /v1/results':
        return ok(this.results);
      case 'POST /v1/results/retry':
        return ok(this.retried);
      case 'POST /v1/doctor':
        return ok({ checks: this.checks });
    }
    return refusal(404, 'not-found');
  }

  #ended(id: string): Reply {
    const found = this.history.find(({ ended }) => ended.sessionId === id);
    return found ? ok(found) : refusal(404, 'not-found', `there is no session ${id}`);
  }

  #drain(request: string, body: ReceivedRequest['body']): Reply {
    if (request.startsWith('POST')) {
      this.drain ??= aDrain(typeof body?.['reason'] === 'string' ? { reason: body['reason'] } : {});
    }
    const { drain } = this;
    if (!drain) return refusal(409, 'not-draining');
    if (!request.startsWith('DELETE')) return ok({ drain });
    return drain.source === 'operator' ? ok({ state: 'serving' }) : refusal(409, 'not-cancellable');
  }

  #session(id: string, isStop: boolean): Reply {
    const session = this.sessions.find(({ sessionId }) => sessionId === decodeURIComponent(id));
    if (!session) return refusal(404, 'not-found', `there is no session ${id}`);
    return isStop ? ok({ sessionId: session.sessionId, ...this.stopped }) : ok({ session, ...this.details });
  }
}

/** Keeps this process from accepting connections. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function shapeOf(request: string) {
  const shape = SHAPES.find(([pattern]) => pattern.test(request))?.[1];
  if (!shape) throw new Error(`the contract has no ${request}`);
  return shape;
}
