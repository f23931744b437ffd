import test from 'ava';
import type { SessionView } from '../../daemon/contract/control-api.ts';
import { overviewOf, overviewQuery } from '../../daemon/control/overview.ts';
import { idOf, someSessions } from './calls.ts';

const MANY = someSessions(2000) as SessionView[];
const ask = (query: Record<string, string> = {}) => overviewOf(MANY, overviewQuery.parse(query));

test('the totals cover all sessions, and the response is as large for 2,000 of them as for 200', (t) => {
  const { totals, found, sessions } = ask();
  t.is(found, 2000);
  t.is(sessions.length, 24);
  t.deepEqual(totals, {
    sessions: 2000,
    lagMs: Math.max(...MANY.map(({ lagMs }) => lagMs)),
    gapMs: MANY.reduce((sum, { gapMs }) => sum + gapMs, 0),
    sessionsWithGaps: MANY.filter(({ gapMs }) => gapMs > 0).length,
    reconnects: MANY.reduce((sum, { reconnects }) => sum + reconnects, 0),
  });
});

for (const [sort, key] of [
  ['age', 'ageMs'],
  ['lag', 'lagMs'],
  ['gaps', 'gapMs'],
] as const) {
  test(`sorted by ${sort}, the pages have every session once, the largest first`, (t) => {
    const parts = Array.from(
      { length: 20 },
      (_, part) => ask({ sort, offset: String(part * 100), limit: '100' }).sessions,
    );
    const values = parts.flat().map((session) => session[key]);
    t.deepEqual(
      values,
      values.toSorted((one, other) => other - one),
    );
    t.is(new Set(parts.flat().map(({ sessionId }) => sessionId)).size, 2000);
  });
}

test('a session is found by any part of its contact id or session id, case-insensitive', (t) => {
  const contactId = idOf('c0a1', 1234);
  for (const find of [contactId, contactId.slice(3, 20), ` ${contactId.toUpperCase()} `, idOf('5e55', 1234)]) {
    const { found, sessions, totals } = ask({ find });
    t.deepEqual([found, sessions.map((session) => session.contactId)], [1, [contactId]]);
    t.is(totals.sessions, 2000, 'totals cover all sessions');
  }
  t.like(ask({ find: 'nobody' }), { found: 0, offset: 0, sessions: [] });
});

test('an offset past the end returns the last page', (t) => {
  t.like(ask({ offset: '5000' }), { offset: 1992 });
  t.is(ask({ offset: '5000' }).sessions.length, 8);
});

test('an invalid query is rejected', (t) => {
  for (const query of [
    { sort: 'name' },
    { limit: '0' },
    { limit: '101' },
    { offset: '-1' },
    { offset: 'x' },
    { all: '1' },
  ]) {
    t.false(overviewQuery.safeParse(query).success, JSON.stringify(query));
  }
});
