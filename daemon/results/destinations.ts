import type { StartRequest } from '../contract/start-request.ts';
import type { SinkSession } from './sink.ts';
import { type WebhookRules, webhookFault, webhookFor } from './webhook/webhook-url.ts';

/** Where results may go, by the settings. */
interface DestinationSettings {
  /** RESULTS_WEBHOOK. */
  readonly webhook: string | undefined;
  /** True with RESULTS_STREAM. */
  readonly hasStream: boolean;
}

/** The part of a start request that decides. A webhook of null means none, not even the daemon's default. */
type Asking = Pick<StartRequest, 'contactId' | 'dgParams' | 'enforceRealtime'> & {
  readonly results?: { readonly webhook?: string | null | undefined } | undefined;
};

/** Where a session's events go (README.md of this room); undefined when nowhere. */
export function destinationsOf(
  request: Asking,
  { webhook: byDefault, hasStream }: DestinationSettings,
): Pick<SinkSession, 'webhook' | 'stream'> | undefined {
  const asked = request.results?.webhook;
  const hasCallback = request.dgParams['callback'] !== undefined;
  // Deepgram posts the results of such a call by itself.
  const template = asked === undefined && !hasCallback ? byDefault : (asked ?? undefined);
  const webhook = template === undefined ? undefined : webhookFor(template, request.contactId);
  const stream = streamOf(hasStream && !request.enforceRealtime && asked !== null, hasCallback);
  return webhook === undefined && stream === 'none' ? undefined : { webhook, stream };
}

function streamOf(isWanted: boolean, hasCallback: boolean): SinkSession['stream'] {
  if (!isWanted) return 'none';
  return hasCallback ? 'session-events' : 'all';
}

/**
 * Why a start with this webhook is refused; undefined when it may start. A webhook in an unsigned request would let
 * anyone who reaches the port say where transcripts go.
 */
export function startWebhookFault(request: Asking, rules: WebhookRules, isSigned: boolean): string | undefined {
  const webhook = request.results?.webhook;
  if (webhook === undefined || webhook === null) return undefined;
  if (!isSigned) return 'results.webhook is accepted in signed start requests only: set TRIGGER_SECRET';
  const fault = webhookFault(webhook, rules);
  return fault && `results.webhook ${fault}`;
}
