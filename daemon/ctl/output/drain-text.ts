import type { DrainView } from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import { durationText } from './durations.ts';

/** Where a drain stands, in a line: what is left, the longest call, the deadline. */
export function drainText(drain: DrainView, nowEpochMs: Millis): string {
  const { state, sessionsLeft, longestCallMs, deadlineAtEpochMs } = drain;
  if (state === 'drained') return 'drained: no session is left';
  const left = `${sessionsLeft} ${sessionsLeft === 1 ? 'session' : 'sessions'} left`;
  const longest = sessionsLeft > 0 ? `, longest call ${durationText(longestCallMs)}` : '';
  if (state === 'ending-rest') return `the deadline has passed, ending the rest: ${left}${longest}`;
  const deadline =
    deadlineAtEpochMs === null
      ? 'no deadline'
      : `deadline in ${durationText(Math.max(0, deadlineAtEpochMs - nowEpochMs))}`;
  return `draining: ${left}${longest}, ${deadline}`;
}
