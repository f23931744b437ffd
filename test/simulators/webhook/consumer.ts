import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { z } from 'zod';
import { type ResultsEvent, resultsEvent } from '../../../daemon/contract/events.ts';
import { News } from '../news.ts';

/** How requests are answered; the first rule that matches counts. */
export const consumerRules = z.array(
  z.strictObject({
    /** Only requests to this path. */
    path: z.string().optional(),
    /** For this many requests; then the rule is gone. */
    times: z.int().positive().optional(),
    status: z.int().default(200),
    headers: z.record(z.string(), z.string()).default({}),
    delayMs: z.number().nonnegative().default(0),
    /** Never answers. */
    hangs: z.boolean().default(false),
    /** Breaks the connection instead of answering. */
    resets: z.boolean().default(false),
    /** Keeps the events whatever the answer: it is lost on its way back. */
    accepts: z.boolean().default(false),
    /** 413 for more bytes. */
    mostBytes: z.int().positive().optional(),
  }),
);
type Rule = z.infer<typeof consumerRules>[number] & { left?: number };

const body = z.strictObject({
  type: z.literal('integratord.events'),
  timestamp: z.iso.datetime(),
  data: z.strictObject({ contactId: z.string(), sessionId: z.string(), events: z.array(resultsEvent).min(1) }),
});

/** A request, as tests see it. */
export interface ReceivedRequest {
  readonly path: string;
  readonly id: string;
  readonly timestamp: string;
  readonly bytes: number;
  /** The same for the same body. */
  readonly text: string;
  readonly isVerified: boolean;
  /** 0: never answered, or reset. */
  readonly status: number;
  readonly connection: number;
}

/** A consumer of webhooks that verifies signatures by the standard's library, and keeps what it accepted. */
export class Consumer {
  readonly requests: ReceivedRequest[] = [];
  /** In order of arrival, with repeats. */
  readonly events: ResultsEvent[] = [];
  /** Of `events`. */
  readonly news = new News();
  readonly #webhooks: Webhook[];
  #rules: Rule[] = [];
  readonly #connections = new Map<object, number>();
  readonly #keepsText: boolean;
  readonly #keepsNothing: boolean;

  /** @param secrets any of which verifies */
  constructor(
    secrets: readonly string[],
    { keepsText = true, keepsNothing = false }: { keepsText?: boolean; keepsNothing?: boolean } = {},
  ) {
    this.#webhooks = secrets.map((secret) => new Webhook(secret));
    this.#keepsText = keepsText;
    this.#keepsNothing = keepsNothing;
  }

  setRules(rules: z.infer<typeof consumerRules>): void {
    this.#rules = rules.map((rule) => ({ ...rule, ...(rule.times !== undefined && { left: rule.times }) }));
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await buffer(request);
    const path = request.url ?? '';
    const rule = this.#ruleFor(path);
    if (this.#keepsNothing) {
      setTimeout(() => response.writeHead(200).end(), rule?.delayMs ?? 0);
      return;
    }
    const isVerified = this.#verifies(bytes, request.headers as Record<string, string>);
    const status = statusOf(rule, bytes.length, isVerified);
    const isAccepted = isVerified && (rule?.accepts === true || (status >= 200 && status < 300));
    if (isAccepted) this.#accept(bytes);
    this.requests.push({
      path,
      id: String(request.headers['webhook-id']),
      timestamp: String(request.headers['webhook-timestamp']),
      bytes: bytes.length,
      text: this.#keepsText ? bytes.toString() : '',
      isVerified,
      status,
      connection: this.#connectionOf(request.socket),
    });
    if (rule?.hangs) return;
    if (rule?.resets) {
      request.socket.destroy();
      return;
    }
    const send = () => response.writeHead(status, rule?.headers ?? {}).end(status === 204 ? undefined : '{}');
    if (rule?.delayMs) setTimeout(send, rule.delayMs);
    else send();
  }

  #accept(bytes: Buffer): void {
    this.events.push(...body.parse(JSON.parse(bytes.toString())).data.events);
    this.news.tell();
  }

  #ruleFor(path: string): Rule | undefined {
    const rule = this.#rules.find((each) => each.path === undefined || each.path === path);
    if (rule?.left !== undefined && --rule.left === 0) this.#rules = this.#rules.filter((each) => each !== rule);
    return rule;
  }

  #verifies(bytes: Buffer, headers: Record<string, string>): boolean {
    return this.#webhooks.some((webhook) => {
      try {
        webhook.verify(bytes.toString(), headers);
        return true;
      } catch (error) {
        if (error instanceof WebhookVerificationError) return false;
        throw error;
      }
    });
  }

  #connectionOf(socket: object): number {
    const known = this.#connections.get(socket) ?? this.#connections.size + 1;
    this.#connections.set(socket, known);
    return known;
  }
}

function statusOf(rule: Rule | undefined, bytes: number, isVerified: boolean): number {
  if (rule?.hangs || rule?.resets) return 0;
  if (!isVerified) return 401;
  if (rule?.mostBytes !== undefined && bytes > rule.mostBytes) return 413;
  return rule?.status ?? 200;
}
