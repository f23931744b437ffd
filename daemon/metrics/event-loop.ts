import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Cancel, Clock, Millis } from '../runtime/clock.ts';
import type { Distribution } from './distribution.ts';

/**
 * Each sample wakes the event loop. Node's figures include this interval, so a delay may be reported as up to this much
 * too short.
 */
const RESOLUTION_MS: Millis = 40;
/** A call feels the worst delay of a second; an average would include idle time. */
const EVERY_MS: Millis = 1000;

/** The part of Node's monitor that is used here; `max` is in ns. */
type Monitor = Pick<ReturnType<typeof monitorEventLoopDelay>, 'enable' | 'disable' | 'reset' | 'count' | 'max'>;

/** Records the worst delay of this thread's event loop in each second, until it is canceled. */
export function watchEventLoop(
  delayMs: Distribution,
  clock: Clock,
  monitor: Monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS }),
): Cancel {
  monitor.enable();
  const cancel = clock.every(EVERY_MS, () => {
    if (monitor.count > 0) delayMs.observe(Math.max(0, monitor.max / 1e6 - RESOLUTION_MS));
    monitor.reset();
  });
  return () => {
    cancel();
    monitor.disable();
  };
}
