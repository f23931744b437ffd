import { z } from 'zod';
import {
  type EndedSession,
  OVERVIEW_SORTS,
  type Overview,
  type SessionsOverview,
  type SessionView,
} from '../contract/control-api.ts';

type Sort = (typeof OVERVIEW_SORTS)[number];

/** More than fits on any screen. */
const MAX_SHOWN = 100;
const SHOWN_BY_DEFAULT = 24;
/** Enough to see what is wrong; `integratorctl sessions list --state failed` has all. */
const FAILED_SHOWN = 5;
/** Longer than any id. */
const MAX_FIND_LENGTH = 100;

const KEYS: Readonly<Record<Sort, (session: SessionView) => number>> = {
  age: ({ ageMs }) => ageMs,
  lag: ({ lagMs }) => lagMs,
  gaps: ({ gapMs }) => gapMs,
};

/** The query of GET /v1/overview. */
export const overviewQuery = z.strictObject({
  sort: z.enum(OVERVIEW_SORTS, `must be one of ${OVERVIEW_SORTS.join(', ')}`).default('age'),
  find: z.string().trim().max(MAX_FIND_LENGTH).default(''),
  offset: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(MAX_SHOWN).default(SHOWN_BY_DEFAULT),
});

type OverviewQuery = z.infer<typeof overviewQuery>;

/**
 * Totals over all sessions, and one page of those that match, so that the response does not grow with their number.
 * `find` is part of a contact or session id. An offset past the end returns the last page, because the list may shrink
 * while someone pages through it.
 */
export function overviewOf(
  all: readonly SessionView[],
  { sort, find, offset, limit }: OverviewQuery,
): SessionsOverview {
  const totals = totalsOf(all);
  const part = find.toLowerCase();
  const matching = part === '' ? all : all.filter((session) => hasId(session, part));
  const key = KEYS[sort];
  const sorted = matching.toSorted((one, other) => key(other) - key(one) || other.ageMs - one.ageMs);
  const lastOffset = Math.max(0, Math.ceil(sorted.length / limit) - 1) * limit;
  const from = Math.min(offset, lastOffset);
  return { totals, found: sorted.length, offset: from, sessions: sorted.slice(from, from + limit) };
}

/** Totals of all sessions. */
export function totalsOf(all: readonly SessionView[]): SessionsOverview['totals'] {
  const totals = { sessions: all.length, lagMs: 0, gapMs: 0, sessionsWithGaps: 0, reconnects: 0 };
  for (const { lagMs, gapMs, reconnects } of all) {
    totals.lagMs = Math.max(totals.lagMs, lagMs);
    totals.gapMs += gapMs;
    totals.sessionsWithGaps += Number(gapMs > 0);
    totals.reconnects += reconnects;
  }
  return totals;
}

/** The sessions of a history that failed. */
export function failedOf(history: readonly EndedSession[]): Overview['failed'] {
  const failed = history.filter(({ outcome }) => outcome === 'failed');
  return { count: failed.length, latest: failed.slice(0, FAILED_SHOWN) };
}

function hasId({ contactId, sessionId }: SessionView, part: string): boolean {
  return contactId.toLowerCase().includes(part) || sessionId.toLowerCase().includes(part);
}
