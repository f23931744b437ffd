import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import { Egress } from '../../runtime/egress.ts';
import type { Batch, Delivery, Sink, SinkSession } from '../sink.ts';
import { type Answer, type Connection, TIMEOUT_MS } from './connection.ts';
import { Connections } from './connections.ts';
import { webhookConnector } from './connector.ts';
import { guardedLookup, type Lookup } from './guarded-lookup.ts';
import { retryAfterMs } from './retry-after.ts';
import { bodyOf, signatureHeaders } from './standard-webhooks.ts';
import { keyFor, literalFault, type WebhookRules } from './webhook-url.ts';

const DIRECT = new Egress();
/** Request Timeout, Too Early and Too Many Requests say nothing about the request itself. */
const TRY_LATER: ReadonlySet<number> = new Set([408, 425, 429]);

interface WebhookSinkOptions {
  readonly rules: WebhookRules;
  readonly clock: Clock;
  /** For time limits, which every request has. */
  readonly timers: Pick<Clock, 'after' | 'now'>;
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
  readonly #hosts = new Map<string, Connections>();
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
    const { rules } = this.#options;
    const fault = rules.allowsLocal ? undefined : literalFault(url.hostname);
    if (fault) return { name: 'given-up', error: `the webhook ${fault}` };
    const keys = this.#keysFor(url.host);
    // The secret may be changed, or changed back, before the batch is given up.
    if (keys.length === 0) return { name: 'retry', error: `RESULTS_SECRET does not list ${url.host}` };
    const connections = this.#connectionsTo(url.origin);
    const connection = connections.take() ?? (await connections.wait());
    if (!connection) return { name: 'retry', error: `no connection to ${url.host} was free` };
    try {
      return await this.#post(connection, url, keys, batch);
    } finally {
      connections.release(connection);
    }
  }

  close(): void {
    for (const connections of this.#hosts.values()) connections.close();
    this.#hosts.clear();
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

  async #post(connection: Connection, url: URL, keys: readonly KeyObject[], batch: Batch): Promise<Delivery> {
    const { clock } = this.#options;
    const body = this.#failed.get(batch) ?? bodyOf(batch, clock.epoch());
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'integratord',
      ...signatureHeaders(batch.id, body, keys, clock.epoch()),
    };
    const path = `${url.pathname}${url.search}`;
    const delivery = this.#outcomeOf(await connection.post({ path, method: 'POST', headers, body }));
    if (delivery.name === 'retry') this.#failed.set(batch, body);
    return delivery;
  }

  #connectionsTo(origin: string): Connections {
    let connections = this.#hosts.get(origin);
    if (!connections) {
      const { rules, timers, egress = DIRECT, lookup = guardedLookup() } = this.#options;
      const guarded = rules.allowsLocal ? undefined : lookup;
      const connect = webhookConnector({ egress, lookup: guarded, timeoutMs: TIMEOUT_MS });
      connections = new Connections({ origin, connect, timers });
      this.#hosts.set(origin, connections);
    }
    return connections;
  }

  #outcomeOf(answer: Answer): Delivery {
    if ('error' in answer) return { name: 'retry', error: reasonOf(answer.error) };
    const { status, retryAfter } = answer;
    if (status >= 200 && status < 300) return { name: 'delivered' };
    const error = `HTTP ${status}`;
    if (status === 410) return { name: 'given-up', error };
    if (status === 413) return { name: 'too-large', error };
    const afterMs = retryAfterMs([retryAfter].flat()[0], this.#options.clock.epoch());
    const hint = status >= 300 && status < 400 ? ': redirects are not followed' : '';
    const isRefused = status < 500 && !TRY_LATER.has(status);
    return { name: 'retry', error: `${error}${hint}`, afterMs, isRefused };
  }
}

/** For people; Node's messages may be empty, and have no URL. */
function reasonOf({ message, code }: Error & { readonly code?: string }): string {
  return message || code || 'the connection failed';
}
