import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { DeadSession } from '../checkpoints/recovery.ts';
import type { EndedDetails, EndedSession, SessionDetails } from '../contract/control-api.ts';
import { errorFields } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { HostedOutcome } from '../threads/host.ts';

/**
 * How a session ended: it ran, it could not start, its thread was lost for good, or what an earlier daemon left of it
 * does not let it resume.
 */
export type SessionEnd =
  | HostedOutcome
  | { readonly name: 'not-started'; readonly error: unknown }
  | { readonly name: 'not-resumed'; readonly why: DeadSession['why'] };

/** Why a lost session failed. */
export const LOST = 'its thread ended, and it could not resume on another one';
const NOT_RESUMED: Readonly<Record<DeadSession['why'], string>> = {
  stale: 'the daemon was down for too long to resume it',
  unreadable: 'its checkpoint could not be read after a restart',
};

const MOST_SESSIONS = 1000;
const KEPT_MS: Millis = 86_400_000;
const HOUR_MS: Millis = 3_600_000;

/** What an operator asks first. */
interface LastHour {
  readonly ended: number;
  readonly failed: number;
  readonly gapMs: Millis;
}

/** The sessions that ended here, the last 1,000 of 24 hours; in memory, because the log has them for longer. */
export class SessionHistory {
  readonly #clock: Clock;
  /** By session id, in the order in which they ended; a session that is resumed here may end twice. */
  readonly #ended = new Map<string, EndedDetails>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ sessionId, traceId, request }: SessionIdentity, end: SessionEnd): void {
    const details = 'details' in end ? end.details : undefined;
    const ended: EndedSession = {
      sessionId,
      contactId: request.contactId,
      traceId,
      ...outcomeOf(end),
      endedAtEpochMs: this.#clock.epoch(),
      ...figuresOf(details),
    };
    this.#ended.delete(sessionId);
    this.#ended.set(sessionId, { ended, ...(details ? { details } : {}) });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > MOST_SESSIONS && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** The last one first. */
  list(): EndedSession[] {
    this.#expire();
    return [...this.#ended.values()].map(({ ended }) => ended).reverse();
  }

  find(sessionId: string): EndedDetails | undefined {
    this.#expire();
    return this.#ended.get(sessionId);
  }

  /** @param ended what `list` returns, if the caller has it */
  lastHour(ended: readonly EndedSession[] = this.list()): LastHour {
    const sinceEpochMs = this.#clock.epoch() - HOUR_MS;
    const recent = ended.filter(({ endedAtEpochMs }) => endedAtEpochMs > sinceEpochMs);
    return {
      ended: recent.length,
      failed: recent.filter(({ outcome }) => outcome === 'failed').length,
      gapMs: recent.reduce((sum, { gapMs = 0 }) => sum + gapMs, 0),
    };
  }

  #expire(): void {
    const sinceEpochMs = this.#clock.epoch() - KEPT_MS;
    for (const [sessionId, { ended }] of this.#ended) {
      if (ended.endedAtEpochMs > sinceEpochMs) break;
      this.#ended.delete(sessionId);
    }
  }
}

function outcomeOf(end: SessionEnd): Pick<EndedSession, 'outcome' | 'reason'> {
  switch (end.name) {
    case 'completed':
      return { outcome: 'completed', reason: end.reason };
    case 'failed':
      return { outcome: 'failed', reason: end.error.error };
    case 'lost':
      return { outcome: 'failed', reason: LOST };
    case 'not-resumed':
      return { outcome: 'failed', reason: NOT_RESUMED[end.why] };
    case 'not-started':
      return { outcome: 'failed', reason: `did not start: ${errorFields(end.error).error}` };
  }
}

function figuresOf(details: SessionDetails | undefined): Partial<EndedSession> {
  if (!details) return {};
  const { ageMs, audioMs, gapMs, reconnects, worstLagMs } = details.session;
  return { ageMs, audioMs, gapMs, reconnects, worstLagMs };
}
