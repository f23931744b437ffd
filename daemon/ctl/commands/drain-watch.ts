import type { DrainView } from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import type { ControlClient } from '../client.ts';
import { EXIT } from '../exit-codes.ts';
import { ConnectionLost, DaemonNotRunning, Failure, Refused } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { drainText } from '../output/drain-text.ts';
import type { ProgressLine } from '../output/progress-line.ts';

/** Often enough to see "drained" before the daemon exits, in most cases. */
const POLL_INTERVAL_MS: Millis = 250;

/** An exiting daemon refuses connections for a moment before it removes its socket; a killed one never removes it. */
const EXIT_GRACE_MS: Millis = 2000;

/** How a drain ended. */
interface DrainEnd {
  readonly drain: DrainView;
  /** Sessions ended by the deadline; 0 if every call ended by itself. */
  readonly cutSessions: number;
}

/**
 * Follows a drain to its end. Throws a Failure if the drain is canceled or the daemon dies. A daemon that exits in
 * order removes its socket, so a missing socket means drained too.
 */
export async function watchDrain(invocation: Invocation, first: DrainView, progress: ProgressLine): Promise<DrainEnd> {
  const { clock, stop } = invocation.io;
  let last = first;
  let cutSessions = 0;
  for (;;) {
    if (last.state === 'ending-rest') cutSessions = Math.max(cutSessions, last.sessionsLeft);
    if (last.state === 'drained') return { drain: last, cutSessions };
    progress.show(drainText(last, clock.epoch()), [last.state, last.sessionsLeft, last.deadlineAtEpochMs].join());
    await clock.sleep(POLL_INTERVAL_MS, stop);
    const next = await drainOrExit(invocation);
    const isOver = next === undefined || next.state === 'drained';
    if (isOver && isPastDeadline(last, clock.epoch())) cutSessions = Math.max(cutSessions, last.sessionsLeft);
    last = next ?? { ...last, state: 'drained', sessionsLeft: 0, longestCallMs: 0 };
  }
}

/** True if the deadline must have ended the sessions that were left: they were gone at the first poll after it. */
function isPastDeadline({ state, deadlineAtEpochMs }: DrainView, nowEpochMs: Millis): boolean {
  return state === 'draining' && deadlineAtEpochMs !== null && nowEpochMs >= deadlineAtEpochMs;
}

/** The drain's current state; undefined if the daemon has exited in order, which means that it is drained. */
async function drainOrExit({ daemon, io: { clock, stop } }: Invocation): Promise<DrainView | undefined> {
  const sinceMs = clock.now();
  for (;;) {
    const polled = await poll(daemon);
    if (!(polled instanceof Failure)) return polled;
    if (clock.now() - sinceMs > EXIT_GRACE_MS) throw died(polled);
    await clock.sleep(POLL_INTERVAL_MS, stop);
  }
}

/** As drainOrExit, but returns the failure of a daemon that may be exiting at this moment. */
async function poll(daemon: ControlClient): Promise<DrainView | undefined | DaemonNotRunning | ConnectionLost> {
  try {
    return (await daemon.get<{ drain: DrainView }>('/v1/drain')).drain;
  } catch (error) {
    if (error instanceof Refused && error.reason === 'not-draining') throw canceled(error);
    if (error instanceof DaemonNotRunning && error.isSocketGone) return undefined;
    if (error instanceof DaemonNotRunning || error instanceof ConnectionLost) return error;
    throw error;
  }
}

function canceled(cause: Error): Failure {
  const what = 'the drain was canceled, or the daemon was restarted';
  return new Failure(`${what}; see: integratorctl status`, EXIT.failure, { cause });
}

function died(cause: Error): Failure {
  const what = 'the daemon died before it was drained';
  return new Failure(`${what}; see: journalctl -u integratord`, EXIT.failure, { cause });
}
