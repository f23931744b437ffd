import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import type { ResultsEvent } from '../../daemon/contract/events.ts';
import type { TlsIdentity } from './certificates.ts';
import { callOfContact } from './identity.ts';
import { monotonicMs } from './monotonic.ts';

/** How long it takes to answer. */
const ANSWER_AFTER_MS = 50;

/** What was posted. */
export interface RequestCounts {
  /** Accepted requests, those of the warm-up call too. */
  requests: number;
  /** Requests with a wrong signature, or of no call of this run. */
  refused: number;
  connections: number;
}

type OnEvents = (call: number, events: readonly ResultsEvent[], nowMs: number) => void;

/** A consumer of webhooks over HTTPS that verifies every request and answers it after 50 ms. */
export class LoadConsumer {
  readonly server: Server;
  readonly counts: RequestCounts = { requests: 0, refused: 0, connections: 0 };
  readonly #webhook: Webhook;
  readonly #onEvents: OnEvents;

  constructor(identity: TlsIdentity, secret: string, onEvents: OnEvents) {
    this.#webhook = new Webhook(secret);
    this.#onEvents = onEvents;
    this.server = createServer(identity, (request, response) => void this.#answer(request, response));
    this.server.on('secureConnection', () => {
      this.counts.connections++;
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body: Buffer;
    try {
      body = await buffer(request);
    } catch {
      // The client disconnected during its request.
      return;
    }
    const status = this.#statusOf(request, body, monotonicMs());
    setTimeout(() => response.writeHead(status).end(), ANSWER_AFTER_MS);
  }

  #statusOf({ headers }: IncomingMessage, body: Buffer, nowMs: number): number {
    try {
      const { data } = this.#webhook.verify(body, headers as Record<string, string>) as {
        data: { contactId: string; events: ResultsEvent[] };
      };
      const call = callOfContact(data.contactId);
      if (call !== undefined) {
        this.counts.requests++;
        this.#onEvents(call, data.events, nowMs);
        return 200;
      }
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error;
    }
    this.counts.refused++;
    return 401;
  }
}
