import http, { type ClientRequestArgs } from 'node:http';
import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Clock, type Millis, systemClock } from './clock.ts';
import { NoProxy } from './no-proxy.ts';
import { forgetSession, keepSession, type TlsPeer, tlsOptions } from './tls.ts';

/** Deepgram's handshakes are given up after this time at the latest. */
const LONGEST_MS: Millis = 20_000;
/** Less than the SDK's clients wait for a connection: the error should name the proxy. */
const AGENT_MS: Millis = 8000;

/** Node's own default agent has this. */
const GLOBAL_AGENT_TIMEOUT_MS: Millis = 5000;

/** HTTPS_PROXY and NO_PROXY, validated; must survive structured cloning. */
export interface ProxySettings {
  /** http or https, may contain credentials. */
  readonly url: string;
  readonly noProxy: string;
}

/** The proxy did not open a tunnel, or the tunnel broke before TLS was established. */
export class ProxyFailed extends Error {
  override readonly name = 'ProxyFailed';
  /** Node's code of the cause: callers retry by it as for direct connections. */
  readonly code: string;

  constructor(message: string, cause: Error) {
    super(message, { cause });
    this.code = (cause as NodeJS.ErrnoException).code ?? 'ERR_PROXY_TUNNEL';
  }
}

/** Receives a TLS connection once it is established, or the error. */
export type Established = (error: Error | null, socket?: Duplex) => void;

/**
 * How HTTPS leaves the host: directly, or through the proxy of HTTPS_PROXY, which Node's own agent asks for a tunnel
 * (RFC 9110, 9.3.6). Proxies see host names, and no content: TLS is end to end.
 */
export class Egress {
  /** Host and port of the proxy; undefined without one. */
  readonly proxyName: string | undefined;
  readonly #noProxy: NoProxy;
  readonly #clock: Pick<Clock, 'after'>;
  /** Node's agent that opens tunnels. `isProxied` decides which connections use it. */
  readonly #tunnels: Agent | undefined;

  constructor(proxy?: ProxySettings, clock: Pick<Clock, 'after'> = systemClock) {
    this.#clock = clock;
    this.#noProxy = new NoProxy(proxy?.noProxy ?? '');
    if (!proxy) return;
    this.proxyName = proxyNameOf(proxy.url);
    this.#tunnels = new Agent({ proxyEnv: { HTTPS_PROXY: proxy.url } });
  }

  isProxied(host: string, port: number): boolean {
    return this.#tunnels !== undefined && !this.#noProxy.covers(host, port);
  }

  /** An agent for HTTP clients, such as the AWS SDK's. */
  agent(options: AgentOptions = {}): Agent {
    return new EgressAgent(this, options);
  }

  /**
   * Opens a TLS connection through the proxy, as `connectTls` does without one, and calls back once: with the connection
   * established, or with ProxyFailed. Returns the connection to the proxy; destroying it abandons the attempt.
   */
  tunnelTls(
    peer: TlsPeer,
    established: (error: Error | null, socket?: TLSSocket) => void,
    timeoutMs: Millis = LONGEST_MS,
  ): Duplex {
    const take: Established = (error, socket) => {
      if (error) forgetSession(peer);
      else keepSession(peer, socket as TLSSocket);
      established(error, socket as TLSSocket);
    };
    return this.tunnel({ ...peer, ...tlsOptions(peer) } as ClientRequestArgs, take, timeoutMs);
  }

  /** The same with options of `tls.connect`, which name host and port. */
  tunnel(options: ClientRequestArgs, established: Established, timeoutMs: Millis = LONGEST_MS): Duplex {
    if (!this.#tunnels) throw new TypeError('there is no proxy');
    const target = `${options.host}:${options.port}`;
    let isOver = false;
    const finish: Established = (error, socket) => {
      if (isOver) {
        socket?.destroy();
        return;
      }
      isOver = true;
      cancelTimeout();
      established(error, socket);
    };
    const toProxy = this.#tunnels.createConnection(options, (error, socket) => {
      if (!error) {
        finish(null, socket);
        return;
      }
      // Node leaves an answered connection, and one that TLS failed on, to its caller.
      toProxy.destroy();
      socket?.destroy();
      finish(this.#failure(error, target, socket !== toProxy));
    }) as Duplex;
    const cancelTimeout = this.#clock.after(timeoutMs, () => {
      toProxy.destroy();
      finish(this.#failure(new Error(`no tunnel to ${target} within ${timeoutMs} ms`), target, false));
    });
    // The errors of a connection come after its close.
    toProxy.once('close', () => setImmediate(() => finish(this.#failure(new Error('socket hang up'), target, false))));
    return toProxy;
  }

  #failure(error: Error, target: string, isTunnelOpen: boolean): ProxyFailed {
    const { statusCode, code } = error as NodeJS.ErrnoException & { statusCode?: number };
    const proxy = `the proxy ${this.proxyName}`;
    if (isTunnelOpen) return new ProxyFailed(`TLS with ${target} through ${proxy} failed: ${error.message}`, error);
    if (statusCode === undefined) return new ProxyFailed(`${proxy} cannot be reached: ${error.message || code}`, error);
    const hint = HINTS[statusCode] ?? '';
    return new ProxyFailed(`${proxy} refused a tunnel to ${target}: HTTP ${statusCode}${hint}`, error);
  }
}

const HINTS: Readonly<Record<number, string>> = {
  403: ', it does not allow this host or port',
  407: ', check the credentials in HTTPS_PROXY',
};

/**
 * Plain HTTP is never proxied: the credentials of an instance role come by it. Undoes what NODE_USE_ENV_PROXY does to
 * this thread's default agent.
 */
export function connectDirectlyByDefault(): void {
  http.globalAgent = new http.Agent({ keepAlive: true, timeout: GLOBAL_AGENT_TIMEOUT_MS });
}

/** Pools connections like any agent; those that go through the proxy are opened by `Egress`. */
class EgressAgent extends Agent {
  readonly #egress: Egress;

  constructor(egress: Egress, options: AgentOptions) {
    super(options);
    this.#egress = egress;
  }

  override createConnection(options: ClientRequestArgs, callback?: (error: Error | null, stream: Duplex) => void) {
    const { host, port } = options;
    if (!callback || !this.#egress.isProxied(host ?? 'localhost', Number(port ?? 443))) {
      return super.createConnection(options, callback);
    }
    // Node's own agents pass on an error without a stream.
    this.#egress.tunnel(options, callback as Established, AGENT_MS);
    return undefined;
  }
}

/** What of a proxy's URL no log may contain. */
export function proxySecrets(url: string | undefined): string[] {
  if (url === undefined) return [];
  const { username, password } = new URL(url);
  if (username === '' && password === '') return [];
  const plain = decodeURIComponent(password);
  const basic = Buffer.from(`${decodeURIComponent(username)}:${plain}`).toString('base64');
  // Some proxies take a token as the user's name.
  return [plain, password, basic, ...(password === '' ? [username, decodeURIComponent(username)] : [])];
}

/** A proxy's host and port, without credentials. */
function proxyNameOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
