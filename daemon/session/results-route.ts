import type { ContactFacts, StartRequest } from '../contract/start-request.ts';
import type { EventLog } from '../results/event-log.ts';
import type { Millis } from '../runtime/clock.ts';

/** Where a session's events go (daemon/results/README.md). */
export interface ResultsRoute {
  /** Undefined for none. `{contact-id}` is replaced. */
  readonly webhook: string | undefined;
  /** What goes to the data stream of all calls. */
  readonly stream: 'all' | 'session-events' | 'none';
}

/** What a sink needs to know of a session. */
export interface RoutedSession extends ResultsRoute {
  readonly sessionId: string;
  readonly contactId: string;
  readonly contact: ContactFacts | undefined;
  /** Wall time of call time 0. */
  readonly timeZeroEpochMs: Millis;
}

export interface OpenEventsOptions {
  /** True for a session that another process or thread began. */
  readonly isResumed: boolean;
}

/** Opens a session's events, with what an earlier process left of them. Never rejects. */
export type OpenEvents = (session: RoutedSession, options: OpenEventsOptions) => Promise<EventLog>;

export interface ResultsDefaults {
  readonly resultsWebhook?: string | undefined;
  readonly hasResultsStream?: boolean | undefined;
}

const CONTACT_ID = '{contact-id}';

/** Where the events of a session go that was asked for like this; undefined if it has none. */
export function resultsRoute(
  { contactId, dgParams, enforceRealtime, results }: StartRequest,
  { resultsWebhook, hasResultsStream }: ResultsDefaults,
): ResultsRoute | undefined {
  const isUnset = results?.webhook === null;
  const isCalledBack = dgParams['callback'] !== undefined;
  const template = results?.webhook ?? (isUnset || isCalledBack ? undefined : resultsWebhook);
  const hasStream = hasResultsStream === true && !isUnset && !enforceRealtime;
  const stream = hasStream ? (isCalledBack ? 'session-events' : 'all') : 'none';
  if (template === undefined && stream === 'none') return undefined;
  return { webhook: template?.replaceAll(CONTACT_ID, () => encodeURIComponent(contactId)), stream };
}
