import type { Clock, Millis } from '../runtime/clock.ts';
import type { Egress } from '../runtime/egress.ts';
import { keysIn } from '../secrets/webhook-secrets.ts';
import type { LetterBox } from './dead-letters/letter-box.ts';
import { connectStream } from './kinesis/put-records.ts';
import { reachWebhook } from './webhook/reach.ts';
import { type WebhookRules, webhookFault } from './webhook/webhook-url.ts';

/** The longest that a connection may take; an operator is waiting. */
const TIMEOUT_MS: Millis = 5000;
/** A longer list would hide the other checks. */
const MOST_HOSTS = 20;

/** A place that events go to. */
export interface DestinationCheck {
  readonly name: string;
  /** What works if `attempt` resolves. */
  readonly ok: string;
  readonly remedy: string;
  /** Rejects with what is wrong. Sends no event. */
  attempt(): Promise<void>;
}

export interface WebhooksOf {
  /** RESULTS_WEBHOOK. */
  readonly webhook: string | undefined;
  readonly rules: WebhookRules;
  readonly egress: Egress;
}

/** A check of RESULTS_WEBHOOK and of each further host that RESULTS_SECRET lists: contact flows may name those. */
export function webhookChecks({ webhook, rules, egress }: WebhooksOf): DestinationCheck[] {
  const { allowsLocal, defaultHost } = rules;
  const reach = (origin: string) => reachWebhook(origin, { egress, allowsLocal, timeoutMs: TIMEOUT_MS });
  const listed = [...(keysIn(rules.secret?.current ?? '')?.byHost.keys() ?? [])];
  const others = listed.filter((host) => host !== defaultHost).slice(0, MOST_HOSTS);
  const checkOf = (host: string, attempt: () => Promise<void>): DestinationCheck => ({
    name: `webhook ${host}`,
    ok: 'it can be connected to, and RESULTS_SECRET has its secret',
    remedy: `check RESULTS_SECRET, DNS, TLS and the route to ${host}`,
    attempt,
  });
  const checks = others.map((host) => checkOf(host, () => reach(`https://${host}`)));
  if (webhook === undefined) return checks;
  const attempt = async () => {
    const fault = webhookFault(webhook, rules);
    if (fault) throw new Error(`RESULTS_WEBHOOK ${fault}`);
    await reach(new URL(webhook.replaceAll('{contact-id}', 'id')).origin);
  };
  return [checkOf(defaultHost ?? 'of RESULTS_WEBHOOK', attempt), ...checks];
}

/** A check of RESULTS_STREAM. Only a write could show whether the role may write to it. */
export function streamCheck(arn: string, egress: Egress, clock: Pick<Clock, 'timeout'>): DestinationCheck {
  return {
    name: 'data stream',
    ok: `${arn} is there`,
    remedy: 'check RESULTS_STREAM, and allow the role kinesis:DescribeStreamSummary and kinesis:PutRecords on it',
    async attempt() {
      const connection = connectStream(arn, egress);
      try {
        await connection.probe(clock.timeout(TIMEOUT_MS));
      } finally {
        connection.close();
      }
    },
  };
}

/** A check of RESULTS_DEAD_LETTERS: whether the bucket can be listed. */
export function deadLettersCheck({ place, list }: Pick<LetterBox, 'place' | 'list'>): DestinationCheck {
  return {
    name: 'dead letters',
    ok: `${place} can be listed`,
    remedy: 'check RESULTS_DEAD_LETTERS, and allow the role to list, read, write and delete there',
    attempt: async () => void (await list()),
  };
}
