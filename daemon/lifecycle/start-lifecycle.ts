import { errorFields } from '../log/log.ts';
import type { Lifecycle, LifecycleOptions } from './lifecycle.ts';
import { type Metadata, MetadataRefused, MetadataUnavailable } from './metadata.ts';
import { WatchedInstance } from './watched-instance.ts';

/** One lost packet must not switch it off for good; a start off EC2 must not take long (1 s each). */
const FIRST_QUESTIONS = 2;

const OFF: Lifecycle = {
  view: () => ({ on: false }),
  ready: async () => {},
  finish: async () => {},
  stop: () => {},
};

/** Begins to watch over the instance; off EC2 there is nothing to watch. Never rejects. */
export async function startLifecycle(options: LifecycleOptions): Promise<Lifecycle> {
  const absence = await absenceOf(options.metadata);
  if (!absence) return new WatchedInstance(options);
  options.log.info(
    { event: 'lifecycle.off', ...errorFields(absence) },
    'no instance metadata: only signals drain here',
  );
  return OFF;
}

/** Why there is nothing to watch; undefined when there is, even if it is in trouble now. */
async function absenceOf(metadata: Metadata): Promise<Error | undefined> {
  for (let question = 1; ; question++) {
    try {
      await metadata.instanceId();
      return undefined;
    } catch (error) {
      if (error instanceof MetadataRefused && error.status < 500) return error;
      if (!(error instanceof MetadataUnavailable)) return undefined;
      if (question === FIRST_QUESTIONS) return error;
    }
  }
}
