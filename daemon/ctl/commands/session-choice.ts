import { EXIT } from '../exit-codes.ts';
import { Failure, usageError } from '../failure.ts';

/** What ids name: a running session, or one that has ended. */
interface Named {
  readonly sessionId: string;
  readonly contactId: string;
}

/**
 * The session that `id` names: a session id, a contact id or a unique prefix of either. Throws a Failure if there is
 * none, or more than one.
 */
export function sessionOf<Session extends Named>(sessions: readonly Session[], id: string): Session {
  const [found, ...others] = sessionsNamed(sessions, id);
  if (!found) throw new Error(`nothing is named ${id}`);
  if (others.length === 0) return found;
  const ids = [found, ...others].map(({ sessionId }) => sessionId);
  throw usageError(`contact ${found.contactId} has ${ids.length} sessions, select one of them: ${ids.join(' ')}`);
}

/** The session, or the sessions of the contact, that `id` names. Throws a Failure if there are none. */
export function sessionsNamed<Session extends Named>(sessions: readonly Session[], id: string): Session[] {
  const isSession = sessions.some(({ sessionId }) => sessionId.startsWith(id));
  const isContact = sessions.some(({ contactId }) => contactId.startsWith(id));
  if (isContact && !isSession) return sessionsOfContact(sessions, id);
  const fullId = resolve(
    'session',
    sessions.map(({ sessionId }) => sessionId),
    id,
  );
  return sessions.filter(({ sessionId }) => sessionId === fullId);
}

/** The sessions of the one contact whose id is, or begins with, `id`; in load tests a contact has several. */
export function sessionsOfContact<Session extends Named>(sessions: readonly Session[], id: string): Session[] {
  const fullId = resolve(
    'contact',
    sessions.map(({ contactId }) => contactId),
    id,
  );
  return sessions.filter(({ contactId }) => contactId === fullId);
}

function resolve(noun: 'session' | 'contact', ids: readonly string[], prefix: string): string {
  // An unset variable in a script would match everything.
  if (prefix === '') throw usageError(`the ${noun} id is empty; see: integratorctl sessions`);
  if (ids.includes(prefix)) return prefix;
  const matches = [...new Set(ids)].filter((id) => id.startsWith(prefix));
  const [match] = matches;
  if (!match) throw new Failure(`no ${noun} ${prefix}; see: integratorctl sessions`, EXIT.notFound);
  if (matches.length === 1) return match;
  throw usageError(`${prefix} is ambiguous: ${matches.length} ${noun}s begin with it: ${matches.join(' ')}`);
}
