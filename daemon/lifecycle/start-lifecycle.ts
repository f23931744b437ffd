import { errorFields } from '../log/log.ts';
import type { Lifecycle, LifecycleOptions } from './lifecycle.ts';
import { type Metadata, MetadataRefused, MetadataUnavailable } from './metadata.ts';
import { WatchedInstance } from './watched-instance.ts';

/** Two, so that one lost packet does not turn the lifecycle off. Off EC2 each takes a second. */
const MAX_ATTEMPTS = 2;

const OFF: Lifecycle = {
  view: () => ({ on: false }),
  ready: async () => {},
  finish: async () => {},
  stop: () => {},
};

/** Starts watching the instance; off EC2 there is nothing to watch. Never rejects. */
export async function startLifecycle(options: LifecycleOptions): Promise<Lifecycle> {
  const absence = await absenceOf(options.metadata);
  if (!absence) return new WatchedInstance(options);
  options.log.info(
    { event: 'lifecycle.off', ...errorFields(absence) },
    'no instance metadata: only signals and operators start a drain',
  );
  return OFF;
}

/** Why there is no metadata service; undefined when there is one, even if it fails right now. */
async function absenceOf(metadata: Metadata): Promise<Error | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await metadata.instanceId();
      return undefined;
    } catch (error) {
      if (error instanceof MetadataRefused && error.status < 500) return error;
      if (!(error instanceof MetadataUnavailable)) return undefined;
      if (attempt === MAX_ATTEMPTS) return error;
    }
  }
}
