import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { z } from 'zod';
import { answerJson, takeOrder } from '../serve.ts';

/** What happens to the next requests for a tunnel to `host`. */
const tunnelOrder = z.object({
  host: z.string(),
  /** `refuse` answers with `status` and a page; `reset` before an answer; `drop` closes the tunnel once it is open. */
  action: z.enum(['refuse', 'reset', 'hang', 'drop']).optional(),
  status: z.number().int().default(403),
  delayMs: z.number().default(0),
  times: z.number().int().positive().default(1),
});
export type TunnelOrder = z.input<typeof tunnelOrder>;
type Order = z.output<typeof tunnelOrder>;

/** A request for a tunnel, as the proxy saw it. */
interface TunnelFacts {
  readonly host: string;
  readonly port: number;
  /** The Proxy-Authorization header. */
  readonly authorization: string | undefined;
  /** Status of the response; undefined without one. */
  status: number | undefined;
  open: boolean;
  /** The first bytes from the client: those of TLS begin with 22. */
  firstByte: number | undefined;
}

export interface ProxyFacts {
  readonly tunnels: readonly TunnelFacts[];
  /** Requests with a URL instead of a path: plain HTTP that was sent to the proxy. */
  readonly plainRequests: readonly string[];
}

const PAGE = '<!doctype html><html><body><h1>Denied by the proxy</h1></body></html>';

/** Every name leads to the loopback interface: a proxy resolves names for its clients. */
export class ConnectProxy {
  readonly #authorization: string | undefined;
  readonly #tunnels: TunnelFacts[] = [];
  readonly #plainRequests: string[] = [];
  readonly #orders: Order[] = [];
  readonly #sockets = new Map<TunnelFacts, Socket[]>();

  constructor(server: Server, credentials: string | undefined) {
    this.#authorization = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
    server.on('connect', (request, client: Socket, head: Buffer) => this.#connect(request, client, head));
    server.on('request', (request, response) => void this.#answer(request, response));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => this.#cut());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/' } = request;
    if (!url.startsWith('/')) {
      this.#plainRequests.push(url);
      answerJson(response, 502, {});
    } else if (method === 'POST' && url === '/simulator/orders') {
      await takeOrder(request, response, tunnelOrder, (order) => this.#orders.push(order));
    } else if (method === 'POST' && url === '/simulator/cut') {
      this.#cut();
      answerJson(response, 200, {});
    } else if (url === '/simulator/facts') {
      answerJson(response, 200, { tunnels: this.#tunnels, plainRequests: this.#plainRequests } satisfies ProxyFacts);
    } else {
      answerJson(response, 404, {});
    }
  }

  /** Resets every open tunnel. */
  #cut(): void {
    for (const sockets of this.#sockets.values()) for (const socket of sockets) socket.resetAndDestroy();
  }

  #connect({ url = '', headers }: IncomingMessage, client: Socket, head: Buffer): void {
    client.on('error', () => client.destroy());
    const target = new URL(`tcp://${url}`);
    const authorization = headers['proxy-authorization'];
    const facts: TunnelFacts = {
      host: target.hostname,
      port: Number(target.port),
      authorization,
      status: undefined,
      open: false,
      firstByte: undefined,
    };
    this.#tunnels.push(facts);
    const order = this.#take(facts.host);
    setTimeout(() => {
      if (order?.action === 'reset') client.resetAndDestroy();
      else if (order?.action === 'refuse') refuse(client, facts, order.status);
      else if (this.#authorization && authorization !== this.#authorization) refuse(client, facts, 407);
      else if (order?.action !== 'hang') this.#open(client, head, facts, order?.action === 'drop');
    }, order?.delayMs ?? 0);
  }

  #take(host: string): Order | undefined {
    const at = this.#orders.findIndex((order) => order.host === host);
    const order = this.#orders[at];
    if (order && --order.times === 0) this.#orders.splice(at, 1);
    return order;
  }

  #open(client: Socket, head: Buffer, facts: TunnelFacts, drops: boolean): void {
    const server = connect(facts.port, '127.0.0.1');
    this.#sockets.set(facts, [client, server]);
    const close = () => {
      facts.open = false;
      client.destroy();
      server.destroy();
      this.#sockets.delete(facts);
    };
    server.once('connect', () => {
      facts.status = 200;
      facts.open = true;
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (drops) {
        client.end();
        return;
      }
      client.once('data', (bytes: Buffer) => {
        facts.firstByte = bytes[0];
      });
      server.write(head);
      client.pipe(server).pipe(client);
    });
    server.once('error', () => {
      if (facts.status === undefined) refuse(client, facts, 502);
      else close();
    });
    server.once('close', close);
    client.once('close', close);
  }
}

function refuse(client: Socket, facts: TunnelFacts, status: number): void {
  facts.status = status;
  const challenge = status === 407 ? 'proxy-authenticate: Basic realm="proxy"\r\n' : '';
  const head = `HTTP/1.1 ${status} Refused\r\n${challenge}content-type: text/html\r\ncontent-length: ${PAGE.length}\r\n`;
  client.end(`${head}\r\n${PAGE}`);
}
