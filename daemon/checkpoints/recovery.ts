import { errorFields, type Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Checkpoint, SessionIdentity } from './checkpoint.ts';
import { newest, type Positions } from './positions-file.ts';
import type { StateDirectory, StateFiles } from './state-directory.ts';

/** daemon/kinesis/README.md: a stream without retention stays readable for five minutes. */
export const STALE_AFTER_MS: Millis = 5 * 60_000;

/** What a daemon or a thread left on disk. */
export interface Recovery extends Pick<StateFiles, 'threads' | 'unfinished'> {
  readonly checkpoints: Checkpoint[];
  readonly dead: readonly DeadSession[];
}

/** A session that cannot resume. */
export interface DeadSession {
  readonly sessionId: string;
  readonly why: 'stale' | 'unreadable';
  /** Undefined if it cannot be read. */
  readonly identity: SessionIdentity | undefined;
}

/**
 * Reads the sessions that can resume: each from its own file, with the newest resume point that a positions file has.
 * Throws if the directory cannot be read.
 *
 * @param only ids of the sessions to read; undefined for all
 */
export async function recover(
  directory: StateDirectory,
  clock: Clock,
  log: Log,
  only: ReadonlySet<string> | undefined,
): Promise<Recovery> {
  const checkpoints: Checkpoint[] = [];
  const dead: DeadSession[] = [];
  const { sessionIds, threads, unfinished } = await directory.list();
  const positions = newest(await Promise.all(threads.map((thread) => positionsOf(thread, directory, log))));
  for (const sessionId of sessionIds) {
    if (only && !only.has(sessionId)) continue;
    const checkpoint = await checkpointOf(sessionId, positions, directory, log);
    if (checkpoint && isFresh(checkpoint, clock, log)) checkpoints.push(checkpoint);
    else dead.push({ sessionId, why: checkpoint ? 'stale' : 'unreadable', identity: checkpoint });
  }
  return { checkpoints, dead, threads, unfinished };
}

async function positionsOf(thread: string, directory: StateDirectory, log: Log): Promise<Positions> {
  const broken = (error: unknown, of: { readonly thread?: string; readonly sessionId?: string }) => {
    const fields = { event: 'checkpoint.unreadable', ...of, ...errorFields(error) };
    log.warn(fields, 'cannot read how far sessions got: they resume from their first checkpoint if it is recent');
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
    const point = positions.get(sessionId);
    return point && point.savedAtEpochMs >= filed.savedAtEpochMs ? { ...filed, ...point } : filed;
  } catch (error) {
    log.warn(
      { event: 'checkpoint.unreadable', sessionId, ...errorFields(error) },
      'cannot read a checkpoint: the session cannot resume',
    );
    return undefined;
  }
}

function isFresh({ sessionId, traceId, request, savedAtEpochMs }: Checkpoint, clock: Clock, log: Log): boolean {
  const ageMs = clock.epoch() - savedAtEpochMs;
  if (ageMs <= STALE_AFTER_MS) return true;
  const fields = { event: 'checkpoint.stale', sessionId, contactId: request.contactId, traceId, ageMs };
  log.warn(fields, 'the checkpoint is too old: the session cannot resume');
  return false;
}
