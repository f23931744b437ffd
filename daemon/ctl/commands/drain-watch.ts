import type { DrainView } from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import { EXIT } from '../exit-codes.ts';
import { ConnectionLost, DaemonNotRunning, Failure, Refused } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { drainText } from '../output/drain-text.ts';
import type { ProgressLine } from '../output/progress-line.ts';

/** The daemon exits once it is drained: asked this often, it is hardly ever gone before it could say so. */
const LOOK_EVERY_MS: Millis = 250;

/** A daemon that is on its way out refuses connections for a moment before its socket is gone; a dead one for ever. */
const GONE_AFTER_MS: Millis = 2000;

/** How a drain ended. */
export interface DrainEnd {
  readonly drain: DrainView;
  /** Sessions that the deadline ended; 0 when every call came to its own end. */
  readonly cutSessions: number;
}

/**
 * Follows a drain to its end. The daemon may be gone before it was seen drained: one that ends in order takes its
 * socket away, so that says the same. Throws a Failure when the drain is called off, or the daemon dies of it.
 */
export async function watchDrain(invocation: Invocation, first: DrainView, progress: ProgressLine): Promise<DrainEnd> {
  const { io } = invocation;
  let last = first;
  let cutSessions = 0;
  for (;;) {
    if (last.state === 'ending-rest') cutSessions = Math.max(cutSessions, last.sessionsLeft);
    if (last.state === 'drained') return { drain: last, cutSessions };
    progress.show(drainText(last, io.clock.epoch()), [last.state, last.sessionsLeft, last.deadlineAtEpochMs].join());
    await io.pause(LOOK_EVERY_MS, io.stop);
    const next = await look(invocation);
    const isOver = next === undefined || next.state === 'drained';
    if (isOver && isPastDeadline(last, io.clock.epoch())) cutSessions = Math.max(cutSessions, last.sessionsLeft);
    last = next ?? { ...last, state: 'drained', sessionsLeft: 0, longestCallMs: 0 };
  }
}

/** Of sessions that were there before the deadline and are gone after it, the deadline is taken to be the cause. */
function isPastDeadline({ state, deadlineAtEpochMs }: DrainView, nowEpochMs: Millis): boolean {
  return state === 'draining' && deadlineAtEpochMs !== null && nowEpochMs >= deadlineAtEpochMs;
}

/** Where the drain stands; undefined when the daemon has ended in order, which it does when it is drained. */
async function look({ daemon, io }: Invocation): Promise<DrainView | undefined> {
  const since = io.clock.now();
  for (;;) {
    try {
      return (await daemon.get<{ drain: DrainView }>('/v1/drain')).drain;
    } catch (error) {
      if (error instanceof Refused && error.reason === 'not-draining') throw calledOff(error);
      if (error instanceof DaemonNotRunning && error.isSocketGone) return undefined;
      if (!(error instanceof DaemonNotRunning || error instanceof ConnectionLost)) throw error;
      if (io.clock.now() - since > GONE_AFTER_MS) throw died(error);
    }
    await io.pause(LOOK_EVERY_MS, io.stop);
  }
}

function calledOff(cause: Error): Failure {
  const what = 'the drain is over before its end: it was cancelled, or the daemon was started anew';
  return new Failure(`${what}; see: integratorctl status`, EXIT.failure, { cause });
}

function died(cause: Error): Failure {
  const what = 'the daemon has died before it was drained';
  return new Failure(`${what}; see: journalctl -u integratord`, EXIT.failure, { cause });
}
