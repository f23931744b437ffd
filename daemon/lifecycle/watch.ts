import { errorFields } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import type { Metadata, SpotAction } from './metadata.ts';
import { type Persistence, pause, retryDelayMs } from './retry.ts';

/** The health check has to fail within 2 s of the news: looking takes half of that at most. */
const LOOK_EVERY_MS: Millis = 1000;
/** Spot gives two minutes: a service that comes back must not be found much later. */
const LONGEST_RETRY_MS: Millis = 5000;

/** What the metadata says now; undefined where it says nothing, or could not be asked. */
export interface MetadataSnapshot {
  readonly targetState: string | undefined;
  readonly spotAction: SpotAction | undefined;
  readonly rebalanceNotice: string | undefined;
}

/** Looks every second and tells what is to be seen, until the signal, with which it rejects. */
export async function watch(
  metadata: Metadata,
  onSight: (sight: MetadataSnapshot) => void,
  { signal, log, random }: Persistence,
): Promise<never> {
  let failures = 0;
  for (;;) {
    const { sight, failure } = await look(metadata);
    signal.throwIfAborted();
    try {
      onSight(sight);
    } catch (error) {
      log.error({ event: 'lifecycle.failed', ...errorFields(error) }, 'what the metadata says could not be acted upon');
    }
    if (failure) {
      if (failures === 0) log.warn({ event: 'lifecycle.metadata-lost', ...errorFields(failure.reason) }, 'asks again');
      await pause(Math.max(LOOK_EVERY_MS, retryDelayMs(failures++, random(), LONGEST_RETRY_MS)), signal);
    } else {
      if (failures > 0) log.info({ event: 'lifecycle.metadata-back', failures }, 'the metadata service answers again');
      failures = 0;
      await pause(LOOK_EVERY_MS, signal);
    }
  }
}

/** One look; what answers counts, whatever becomes of the rest. */
async function look(
  metadata: Metadata,
): Promise<{ sight: MetadataSnapshot; failure: PromiseRejectedResult | undefined }> {
  const [state, spot, rebalance] = await Promise.allSettled([
    metadata.targetLifecycleState(),
    metadata.spotAction(),
    metadata.rebalanceNotice(),
  ]);
  const failure = [state, spot, rebalance].find((result) => result.status === 'rejected');
  const sight = { targetState: answerOf(state), spotAction: answerOf(spot), rebalanceNotice: answerOf(rebalance) };
  return { sight, failure };
}

function answerOf<T>(result: PromiseSettledResult<T>): T | undefined {
  return result.status === 'fulfilled' ? result.value : undefined;
}
