import type { DrainView } from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import { durationText } from './durations.ts';

/** The progress of a drain in one line. */
export function drainText(drain: DrainView, nowEpochMs: Millis): string {
  const { state, sessionsLeft, longestCallMs, deadlineAtEpochMs, takesStartsUntilEpochMs } = drain;
  if (state === 'drained') return 'drained: no sessions left';
  if (state === 'draining' && sessionsLeft === 0) {
    const waitMs = Math.max(0, takesStartsUntilEpochMs - nowEpochMs);
    const wait = waitMs > 0 ? `: exits in ${durationText(waitMs)}, when load balancers have noticed` : '';
    return `draining: no sessions left${wait}`;
  }
  const left = `${sessionsLeft} ${sessionsLeft === 1 ? 'session' : 'sessions'} left`;
  const longest = sessionsLeft > 0 ? `, longest call ${durationText(longestCallMs)}` : '';
  if (state === 'ending-rest') return `deadline reached, ending remaining sessions: ${left}${longest}`;
  const deadline =
    deadlineAtEpochMs === null
      ? 'no deadline'
      : `deadline in ${durationText(Math.max(0, deadlineAtEpochMs - nowEpochMs))}`;
  return `draining: ${left}${longest}, ${deadline}`;
}
