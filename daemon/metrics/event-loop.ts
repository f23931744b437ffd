import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Millis } from '../runtime/clock.ts';
import type { Distribution } from './distribution.ts';

/**
 * The loop is looked at so often, each time a wake-up. Node's figures contain this wait itself, so what is told of a
 * delay may lack as much.
 */
const RESOLUTION_MS: Millis = 40;
/** One worst case of each second: what a call feels, not an average over the idle rest. */
const EVERY_MS: Millis = 1000;

/** Notes the worst delay of each second of this thread's event loop. Keeps nothing alive; gives what ends it. */
export function watchEventLoop(delayMs: Distribution): () => void {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  monitor.enable();
  const timer = setInterval(() => {
    if (monitor.count > 0) delayMs.observe(Math.max(0, monitor.max / 1e6 - RESOLUTION_MS));
    monitor.reset();
  }, EVERY_MS).unref();
  return () => {
    clearInterval(timer);
    monitor.disable();
  };
}
