import { errorFields, type Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Checkpoint } from './checkpoint.ts';
import { newest, type Positions } from './positions-file.ts';
import type { StateDirectory, StateFiles } from './state-directory.ts';

/** daemon/kinesis/README.md: without retention the last five minutes stay readable; an older checkpoint leads nowhere. */
export const STALE_AFTER_MS: Millis = 5 * 60_000;

/** What a daemon, or a thread, left that is gone. */
export interface Recovery extends Pick<StateFiles, 'threads' | 'unfinished'> {
  readonly checkpoints: Checkpoint[];
  /** Ids of the sessions that cannot go on: they are stale or broken. */
  readonly dead: readonly string[];
}

/**
 * Reads the sessions that can go on, each where it was last: its own file knows where it began, the positions files
 * where it got to. Throws when the directory cannot be read.
 *
 * @param only the ids of the sessions in question; undefined is all
 */
export async function recover(
  directory: StateDirectory,
  clock: Clock,
  log: Log,
  only: ReadonlySet<string> | undefined,
): Promise<Recovery> {
  const checkpoints: Checkpoint[] = [];
  const dead: string[] = [];
  const { sessionIds, threads, unfinished } = await directory.list();
  const positions = newest(await Promise.all(threads.map((thread) => positionsOf(thread, directory, log))));
  for (const sessionId of sessionIds) {
    if (only && !only.has(sessionId)) continue;
    const checkpoint = await checkpointOf(sessionId, positions, directory, log);
    if (checkpoint && isFresh(checkpoint, clock, log)) checkpoints.push(checkpoint);
    else dead.push(sessionId);
  }
  return { checkpoints, dead, threads, unfinished };
}

async function positionsOf(thread: string, directory: StateDirectory, log: Log): Promise<Positions> {
  const broken = (error: unknown, of: { readonly thread?: string; readonly sessionId?: string }) => {
    const fields = { event: 'checkpoint.unreadable', ...of, ...errorFields(error) };
    log.warn(
      fields,
      'it is not known how far sessions got: they go on from their first checkpoint while that is young',
    );
  };
  try {
    return await directory.readPositions(thread, (sessionId, error) => broken(error, { sessionId }));
  } catch (error) {
    broken(error, { thread });
    return new Map();
  }
}

async function checkpointOf(
  sessionId: string,
  positions: Positions,
  directory: StateDirectory,
  log: Log,
): Promise<Checkpoint | undefined> {
  try {
    const filed = await directory.readSession(sessionId);
    const where = positions.get(sessionId);
    return where && where.savedAtEpochMs >= filed.savedAtEpochMs ? { ...filed, ...where } : filed;
  } catch (error) {
    log.warn({ event: 'checkpoint.unreadable', sessionId, ...errorFields(error) }, 'a session cannot go on');
    return undefined;
  }
}

function isFresh({ sessionId, traceId, request, savedAtEpochMs }: Checkpoint, clock: Clock, log: Log): boolean {
  const ageMs = clock.epoch() - savedAtEpochMs;
  if (ageMs <= STALE_AFTER_MS) return true;
  const fields = { event: 'checkpoint.stale', sessionId, contactId: request.contactId, traceId, ageMs };
  log.warn(fields, 'a session is too old to go on');
  return false;
}
