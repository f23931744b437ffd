import type { KeyObject } from 'node:crypto';
import { type Dispatcher, Pool } from 'undici';
import type { Clock, Millis } from '../../runtime/clock.ts';
import { Egress } from '../../runtime/egress.ts';
import type { Batch, Delivery, Sink, SinkSession } from '../sink.ts';
import { webhookConnector } from './connector.ts';
import { guardedLookup, type Lookup } from './guarded-lookup.ts';
import { retryAfterMs } from './retry-after.ts';
import { bodyOf, signatureHeaders } from './standard-webhooks.ts';
import { keyFor, literalFault, type WebhookRules } from './webhook-url.ts';

/** A consumer acknowledges by a 2xx within this time. */
const TIMEOUT_MS: Millis = 15_000;
/** Connections per host and thread: a consumer that takes 50 ms serves 5,000 requests a second on as many. */
const MOST_SOCKETS = 256;
/** The rest of an answer is not read. */
const MOST_ANSWER_BYTES = 64 * 1024;
/** Less than the idle time-out of common servers and load balancers, which may say what theirs is. */
const IDLE_MS: Millis = 4000;
const DIRECT = new Egress();
/** Codes of a kept connection that the consumer closed just then. */
const STALE: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

interface WebhookSinkOptions {
  readonly rules: WebhookRules;
  readonly clock: Clock;
  /** For time limits, which every request has. */
  readonly timers: Pick<Clock, 'after'>;
  /** Directly by default. */
  readonly egress?: Egress;
  /** Replaceable in tests. */
  readonly lookup?: Lookup;
}

/**
 * Posts events to a call's webhook, by Standard Webhooks. Connections are kept. By undici: a request takes two thirds of
 * the CPU that node:https takes, and 800 calls make 400 a second.
 */
export class WebhookSink implements Sink {
  readonly name = 'webhook';
  readonly limits = { events: 100, bytes: 256 * 1024 };
  readonly #options: WebhookSinkOptions;
  /** By origin; RESULTS_SECRET lists the hosts. */
  readonly #pools = new Map<string, Pool>();
  readonly #urls = new WeakMap<SinkSession, URL>();
  /**
   * Bodies of batches that failed: every attempt sends the same bytes. Not of the others: what an old WeakMap has stays
   * until V8's next major collection.
   */
  readonly #failed = new WeakMap<Batch, Buffer>();

  constructor(options: WebhookSinkOptions) {
    this.#options = options;
  }

  takes({ webhook }: SinkSession): boolean {
    return webhook !== undefined;
  }

  async deliver(batch: Batch): Promise<Delivery> {
    const url = this.#urlOf(batch.session);
    if (!url) return { name: 'given-up', error: 'the webhook is no URL' };
    const { rules, clock } = this.#options;
    const fault = rules.allowsLocal ? undefined : literalFault(url.hostname);
    if (fault) return { name: 'given-up', error: `the webhook ${fault}` };
    const keys = this.#keysFor(url.host);
    // The secret may be changed, or changed back, before the batch is given up.
    if (keys.length === 0) return { name: 'retry', error: `RESULTS_SECRET does not list ${url.host}` };
    const body = this.#failed.get(batch) ?? bodyOf(batch, clock.epoch());
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'integratord',
      ...signatureHeaders(batch.id, body, keys, clock.epoch()),
    };
    const delivery = await this.#post(url, headers, body);
    if (delivery.name === 'retry') this.#failed.set(batch, body);
    return delivery;
  }

  close(): void {
    for (const pool of this.#pools.values()) void pool.destroy();
    this.#pools.clear();
  }

  /** Parsed once per session. */
  #urlOf(session: SinkSession): URL | undefined {
    let url = this.#urls.get(session);
    if (!url) {
      url = URL.parse(session.webhook ?? '') ?? undefined;
      if (url) this.#urls.set(session, url);
    }
    return url;
  }

  #keysFor(host: string): KeyObject[] {
    const { secret, defaultHost } = this.#options.rules;
    if (!secret || !keyFor(host, secret.current, defaultHost)) return [];
    return secret.accepted.flatMap((each) => keyFor(host, each, defaultHost) ?? []);
  }

  async #post(url: URL, headers: Record<string, string>, body: Buffer): Promise<Delivery> {
    const pool = this.#poolOf(url.origin);
    const path = `${url.pathname}${url.search}`;
    const request = () => this.#attempt(pool, { path, method: 'POST', headers, body });
    const answer = await request();
    // A kept connection may be closed just when it is used again.
    const last = 'error' in answer && STALE.has(answer.error.code ?? '') ? await request() : answer;
    return 'error' in last ? { name: 'retry', error: reasonOf(last.error) } : this.#outcomeOf(last);
  }

  /** Settles when the answer is complete, so that its connection serves the session's next request. */
  #attempt(pool: Pool, options: Dispatcher.DispatchOptions): Promise<Answer> {
    return new Promise((resolve) => {
      let controller: Dispatcher.DispatchController | undefined;
      let answered: Answered | undefined;
      const settle = (answer: Answer) => {
        cancelTimeout();
        resolve(answered ?? answer);
      };
      const cancelTimeout = this.#options.timers.after(TIMEOUT_MS, () => {
        const late = new Error(`no answer within ${TIMEOUT_MS} ms`);
        settle({ error: late });
        controller?.abort(late);
      });
      pool.dispatch(options, {
        onRequestStart: (started) => {
          controller = started;
        },
        onResponseStart: (_controller, status, headers) => {
          answered = { status, retryAfter: headers['retry-after'] };
        },
        onResponseData: () => {},
        onResponseEnd: () => settle(answered ?? { error: new Error('an empty answer') }),
        onResponseError: (_controller, error) => settle({ error }),
      });
    });
  }

  #poolOf(origin: string): Pool {
    let pool = this.#pools.get(origin);
    if (!pool) {
      const { rules, egress = DIRECT, lookup = guardedLookup() } = this.#options;
      const guarded = rules.allowsLocal ? undefined : lookup;
      pool = new Pool(origin, {
        connections: MOST_SOCKETS,
        pipelining: 1,
        allowH2: false,
        keepAliveTimeout: IDLE_MS,
        // Every request has a limit of its own.
        headersTimeout: 0,
        bodyTimeout: 0,
        maxResponseSize: MOST_ANSWER_BYTES,
        connect: webhookConnector({ egress, lookup: guarded, timeoutMs: TIMEOUT_MS }),
      });
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  #outcomeOf({ status, retryAfter }: Answered): Delivery {
    if (status >= 200 && status < 300) return { name: 'delivered' };
    const error = `HTTP ${status}`;
    if (status === 410) return { name: 'given-up', error };
    if (status === 413) return { name: 'too-large', error };
    if (status >= 300 && status < 400) return { name: 'retry', error: `${error}: redirects are not followed` };
    const afterMs = retryAfterMs([retryAfter].flat()[0], this.#options.clock.epoch());
    return { name: 'retry', error, afterMs };
  }
}

interface Answered {
  readonly status: number;
  readonly retryAfter: string | string[] | undefined;
}

type Answer = Answered | { readonly error: Error & { readonly code?: string } };

/** For people; Node's messages may be empty, and have no URL. */
function reasonOf({ message, code }: Error & { readonly code?: string }): string {
  return message || code || 'the connection failed';
}
