import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { SessionState, SessionView } from '../contract/control-api.ts';
import type { LinkStats } from '../deepgram/link-statistics.ts';
import type { Millis } from '../runtime/clock.ts';

interface Viewed {
  readonly identity: SessionIdentity;
  readonly state: SessionState;
  readonly ageMs: Millis;
  readonly link: LinkStats;
  readonly gapMs: Millis;
  readonly repeatedMs: Millis;
}

/** A session as lists show it, without secrets. */
export function viewOf({ identity, state, ageMs, link, gapMs, repeatedMs }: Viewed): SessionView {
  const { sessionId, traceId, request } = identity;
  const { requestIds, ...stats } = link;
  return {
    sessionId,
    contactId: request.contactId,
    traceId,
    state,
    ageMs,
    ...stats,
    gapMs,
    repeatedMs,
    reconnects: requestIds.length - 1,
    deepgramRequestIds: requestIds,
    model: firstOf(request.dgParams['model']),
    callbackHost: URL.parse(firstOf(request.dgParams['callback']) ?? '')?.host,
  };
}

function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
