import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock, Millis } from '../../runtime/clock.ts';
import type { Batch, Delivery, Sink, SinkSession } from '../sink.ts';
import { guardedLookup, type Lookup } from './guarded-lookup.ts';
import { retryAfterMs } from './retry-after.ts';
import { bodyOf, signatureHeaders } from './standard-webhooks.ts';
import { keyFor, literalFault, type WebhookRules } from './webhook-url.ts';

/** A consumer acknowledges by a 2xx within this time. */
const TIMEOUT_MS: Millis = 15_000;
/** Connections per host and thread: a consumer that takes 50 ms serves 4,000 requests a second on as many. */
const MOST_SOCKETS = 256;
const MOST_IDLE_SOCKETS = 64;
/** The rest of an answer is not read. */
const MOST_ANSWER_BYTES = 64 * 1024;
/** Codes of a kept connection that the consumer closed just then. */
const STALE: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** How HTTPS leaves the host; through a proxy, names are resolved there. */
export interface WebhookEgress {
  agent(options: AgentOptions): HttpsAgent;
}

export interface WebhookSinkOptions {
  readonly rules: WebhookRules;
  readonly clock: Clock;
  /** For time limits, which every request has. */
  readonly timers: Pick<Clock, 'after'>;
  readonly egress?: WebhookEgress;
  /** Replaceable in tests. */
  readonly lookup?: Lookup;
}

const DIRECT: WebhookEgress = { agent: (options) => new HttpsAgent(options) };

/** Posts events to a call's webhook, by Standard Webhooks. Connections are kept. */
export class WebhookSink implements Sink {
  readonly name = 'webhook';
  readonly limits = { events: 100, bytes: 256 * 1024 };
  readonly #options: WebhookSinkOptions;
  readonly #https: HttpsAgent;
  readonly #http: HttpAgent;
  /** Bodies of batches that are on their way: every attempt sends the same bytes. */
  readonly #bodies = new WeakMap<Batch, Buffer>();

  constructor(options: WebhookSinkOptions) {
    this.#options = options;
    const { rules, egress = DIRECT, lookup = guardedLookup() } = options;
    const common = { keepAlive: true, maxSockets: MOST_SOCKETS, maxFreeSockets: MOST_IDLE_SOCKETS };
    // Node's types lack the lookup of an agent, which it passes on to its connections.
    const guarded = (rules.allowsLocal ? common : { ...common, lookup }) as AgentOptions;
    this.#https = egress.agent(guarded);
    this.#http = new HttpAgent(common);
  }

  takes({ webhook }: SinkSession): boolean {
    return webhook !== undefined;
  }

  async deliver(batch: Batch): Promise<Delivery> {
    const url = URL.parse(batch.session.webhook ?? '');
    if (!url) return { name: 'given-up', error: 'the webhook is no URL' };
    const { rules, clock } = this.#options;
    const fault = rules.allowsLocal ? undefined : literalFault(url.hostname);
    if (fault) return { name: 'given-up', error: `the webhook ${fault}` };
    const keys = this.#keysFor(url.host);
    // The secret may be changed, or changed back, before the batch is given up.
    if (keys.length === 0) return { name: 'retry', error: `RESULTS_SECRET does not list ${url.host}` };
    const body = this.#bodyOf(batch);
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'user-agent': 'integratord',
      ...signatureHeaders(batch.id, body, keys, clock.epoch()),
    };
    return this.#post(url, headers, body);
  }

  close(): void {
    this.#https.destroy();
    this.#http.destroy();
  }

  #keysFor(host: string): Buffer[] {
    const { secret, defaultHost } = this.#options.rules;
    if (!secret || !keyFor(host, secret.current, defaultHost)) return [];
    return secret.accepted.flatMap((each) => keyFor(host, each, defaultHost) ?? []);
  }

  #bodyOf(batch: Batch): Buffer {
    let body = this.#bodies.get(batch);
    if (!body) {
      body = bodyOf(batch, this.#options.clock.epoch());
      this.#bodies.set(batch, body);
    }
    return body;
  }

  #post(url: URL, headers: Record<string, string | number>, body: Buffer, isRepeated = false): Promise<Delivery> {
    return new Promise((resolve) => {
      const isSecure = url.protocol === 'https:';
      const send = isSecure ? httpsRequest : httpRequest;
      const outgoing = send(url, { method: 'POST', headers, agent: isSecure ? this.#https : this.#http });
      const late = new Error(`no answer within ${TIMEOUT_MS} ms`);
      const cancelTimeout = this.#options.timers.after(TIMEOUT_MS, () => outgoing.destroy(late));
      outgoing.once('response', (incoming) => {
        resolve(this.#outcomeOf(incoming));
        discard(incoming, outgoing, cancelTimeout);
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        cancelTimeout();
        const isStale = outgoing.reusedSocket && !isRepeated && STALE.has(error.code ?? '');
        resolve(isStale ? this.#post(url, headers, body, true) : { name: 'retry', error: reasonOf(error) });
      });
      outgoing.end(body);
    });
  }

  #outcomeOf({ statusCode = 0, headers }: IncomingMessage): Delivery {
    if (statusCode >= 200 && statusCode < 300) return { name: 'delivered' };
    const error = `HTTP ${statusCode}`;
    if (statusCode === 410) return { name: 'given-up', error };
    if (statusCode === 413) return { name: 'too-large', error };
    if (statusCode >= 300 && statusCode < 400) return { name: 'retry', error: `${error}: redirects are not followed` };
    const afterMs = retryAfterMs(headers['retry-after'], this.#options.clock.epoch());
    return { name: 'retry', error, afterMs };
  }
}

/** Reads the rest of an answer, so that the connection can be used again, unless it is long or slow. */
function discard(incoming: IncomingMessage, outgoing: ClientRequest, cancelTimeout: () => void): void {
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MOST_ANSWER_BYTES) outgoing.destroy();
  });
  incoming.once('error', () => {});
  incoming.once('close', cancelTimeout);
}

/** For people; Node's messages may be empty, and have no URL. */
function reasonOf({ message, code }: NodeJS.ErrnoException): string {
  return message || code || 'the connection failed';
}
