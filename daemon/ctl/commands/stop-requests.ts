import type { SessionView, Stopped } from '../../contract/control-api.ts';
import { settledAtMost } from '../at-most.ts';
import { EXIT } from '../exit-codes.ts';
import { Refused } from '../failure.ts';
import type { Invocation } from '../invocation.ts';

/**
 * A request is a connection until its session is over. A burst of more than 511 (the backlog of Node's servers) gets
 * EAGAIN while the daemon is busy; half of that leaves room for other clients.
 */
const REQUESTS_AT_A_TIME = 256;

/** How a session ended; `already-over` if that was before the daemon got the request. */
export type Outcome = Omit<Stopped, 'outcome'> & {
  readonly contactId: string;
  readonly outcome: Stopped['outcome'] | 'already-over';
};

/** A session that may go on, and why. */
export interface NotStopped {
  readonly sessionId: string;
  readonly contactId: string;
  readonly error: string;
}

interface StopOutcomes {
  readonly stopped: readonly Outcome[];
  readonly notStopped: readonly NotStopped[];
  /** Of the first request that failed, or was interrupted. */
  readonly error: Error | undefined;
}

/** Has the daemon stop the sessions, and waits until they are over, or until `io.stop` aborts. Never rejects. */
export async function stopSessions(invocation: Invocation, sessions: readonly SessionView[]): Promise<StopOutcomes> {
  const { stop } = invocation.io;
  const asked = new Set<SessionView>();
  const requests = sessions.map((session) => async () => {
    stop.throwIfAborted();
    asked.add(session);
    return stopSession(invocation, session);
  });
  const settled = await settledAtMost(REQUESTS_AT_A_TIME, requests);
  const stopped = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const notStopped = sessions.flatMap((session, at): NotStopped[] => {
    const one = settled[at];
    if (one?.status !== 'rejected') return [];
    const isInterrupted = stop.aborted && one.reason === stop.reason;
    // The daemon ends a session that it was asked to stop, also when nothing waits for that any more.
    if (isInterrupted && asked.has(session)) return [];
    const { sessionId, contactId } = session;
    return [{ sessionId, contactId, error: isInterrupted ? 'not asked to stop' : (one.reason as Error).message }];
  });
  return { stopped, notStopped, error: settled.find((each) => each.status === 'rejected')?.reason };
}

async function stopSession({ daemon }: Invocation, { sessionId, contactId }: SessionView): Promise<Outcome> {
  try {
    const path = `/v1/sessions/${encodeURIComponent(sessionId)}/stop`;
    const { apiVersion: _, ...stopped } = await daemon.post<Stopped>(path, { timeoutMs: Infinity });
    return { contactId, ...stopped };
  } catch (error) {
    if (error instanceof Refused && error.exit === EXIT.notFound) {
      return { sessionId, contactId, outcome: 'already-over' };
    }
    throw error;
  }
}
