import { errorFields } from '../log/log.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Millis } from '../runtime/clock.ts';
import type { MaintenanceEvent } from './maintenance.ts';
import type { Metadata, SpotAction } from './metadata.ts';
import { FIRST_RETRY_MS, type RetryOptions } from './retry.ts';

/** The health check must fail within 2 s of an announcement; polling may use half of that. */
const POLL_EVERY_MS: Millis = 1000;
/** A Spot notice comes two minutes ahead, so a metadata service that recovers must be noticed soon. */
const LONGEST_RETRY_MS: Millis = 5000;

/** What the instance metadata says now; undefined where it says nothing or did not answer. */
export interface MetadataSnapshot {
  readonly targetState: string | undefined;
  readonly spotAction: SpotAction | undefined;
  readonly rebalanceNotice: string | undefined;
  readonly maintenance: readonly MaintenanceEvent[] | undefined;
}

/**
 * Polls the metadata every second and passes on each snapshot, and why a part of it is missing. Rejects when the signal
 * aborts.
 */
export async function watch(
  metadata: Metadata,
  onSnapshot: (snapshot: MetadataSnapshot, fault: string | undefined) => void,
  { signal, clock, log, random }: RetryOptions,
): Promise<never> {
  let failures = 0;
  for (;;) {
    const { snapshot, failure } = await takeSnapshot(metadata);
    signal.throwIfAborted();
    try {
      onSnapshot(snapshot, failure && String(failure.reason));
    } catch (error) {
      log.error({ event: 'lifecycle.failed', ...errorFields(error) }, 'could not act on the instance metadata');
    }
    let pauseMs = POLL_EVERY_MS;
    if (failure) {
      if (failures === 0) log.warn({ event: 'lifecycle.metadata-lost', ...errorFields(failure.reason) }, 'retrying');
      const backoff = { firstMs: FIRST_RETRY_MS, longestMs: LONGEST_RETRY_MS, random };
      pauseMs = Math.max(POLL_EVERY_MS, backoffMs(failures, backoff));
      failures++;
    } else {
      if (failures > 0) log.info({ event: 'lifecycle.metadata-back', failures }, 'the metadata service responds again');
      failures = 0;
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** Reads all values at once; those that fail are left undefined. */
async function takeSnapshot(
  metadata: Metadata,
): Promise<{ snapshot: MetadataSnapshot; failure: PromiseRejectedResult | undefined }> {
  const [state, spot, rebalance, maintenance] = await Promise.allSettled([
    metadata.targetLifecycleState(),
    metadata.spotAction(),
    metadata.rebalanceNotice(),
    metadata.maintenanceEvents(),
  ]);
  const failure = [state, spot, rebalance, maintenance].find((result) => result.status === 'rejected');
  const snapshot = {
    targetState: valueIn(state),
    spotAction: valueIn(spot),
    rebalanceNotice: valueIn(rebalance),
    maintenance: valueIn(maintenance),
  };
  return { snapshot, failure };
}

function valueIn<T>(result: PromiseSettledResult<T>): T | undefined {
  return result.status === 'fulfilled' ? result.value : undefined;
}
