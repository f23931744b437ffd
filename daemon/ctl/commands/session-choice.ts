import type { SessionView } from '../../contract/control-api.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure, usageError } from '../failure.ts';

/** The session whose id is `id` or begins with it. Throws a Failure when there is none, or more than one. */
export function sessionOf(sessions: readonly SessionView[], id: string): SessionView {
  const fullId = resolve(
    'session',
    sessions.map(({ sessionId }) => sessionId),
    id,
  );
  const found = sessions.find(({ sessionId }) => sessionId === fullId);
  if (!found) throw new Error(`a session id came from nowhere: ${fullId}`);
  return found;
}

/** The sessions of the one contact whose id is `id` or begins with it; load tests have several. */
export function sessionsOfContact(sessions: readonly SessionView[], id: string): SessionView[] {
  const fullId = resolve(
    'contact',
    sessions.map(({ contactId }) => contactId),
    id,
  );
  return sessions.filter(({ contactId }) => contactId === fullId);
}

function resolve(noun: 'session' | 'contact', ids: readonly string[], prefix: string): string {
  // As an unset variable in a script leaves it: it would fit everything.
  if (prefix === '') throw usageError(`the ${noun} id is empty; see: integratorctl sessions`);
  if (ids.includes(prefix)) return prefix;
  const matches = [...new Set(ids)].filter((id) => id.startsWith(prefix));
  const [match] = matches;
  if (!match) throw new Failure(`no ${noun} ${prefix}; see: integratorctl sessions`, EXIT.notFound);
  if (matches.length === 1) return match;
  throw usageError(`${prefix} fits ${matches.length} ${noun}s; give more of the id: ${matches.join(' ')}`);
}
