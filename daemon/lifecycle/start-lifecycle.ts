import type { Lifecycle, LifecycleOptions } from './lifecycle.ts';
import { WatchedInstance } from './watched-instance.ts';

const OFF: Lifecycle = {
  view: () => ({ on: false }),
  ready: async () => {},
  finish: async () => {},
  stop: () => {},
};

/**
 * Starts watching the instance. Off only when there is certainly no metadata service to ask, for as long as the process
 * runs: one that refuses or does not respond is retried.
 */
export function startLifecycle(options: LifecycleOptions): Lifecycle {
  const { absence } = options.metadata;
  if (absence === undefined) return new WatchedInstance(options);
  const fields = { event: 'lifecycle.off', error: absence };
  options.log.info(fields, 'no instance metadata: only signals and operators start a drain');
  return OFF;
}
