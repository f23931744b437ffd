import type { DrainOrder } from '../admission/drain.ts';
import type { Millis } from '../runtime/clock.ts';
import type { MetadataSnapshot } from './watch.ts';

/** Remaining sessions end this long before EC2 reclaims a Spot instance: time for Deepgram's last results. */
const SPOT_MARGIN_MS: Millis = 20_000;
/** The target state of an instance that Auto Scaling is terminating. */
const TERMINATED = 'Terminated';

/** What EC2 and Auto Scaling have announced so far. Neither withdraws an announcement. */
export interface Announcements {
  /** Auto Scaling's target for the instance, such as `InService`, when last read. */
  readonly targetState: string | undefined;
  readonly isTerminating: boolean;
  /** EC2 has sent the Spot notice. */
  readonly isReclaimed: boolean;
  readonly isRebalanceRecommended: boolean;
}

export const NOTHING_ANNOUNCED: Announcements = {
  targetState: undefined,
  isTerminating: false,
  isReclaimed: false,
  isRebalanceRecommended: false,
};

/** What a snapshot means for this instance. */
export interface Decision {
  readonly announced: Announcements;
  /** The drain that a new announcement asks for; undefined when nothing new does. */
  readonly drain: DrainOrder | undefined;
}

/** @param terminationMs how long running calls have when Auto Scaling terminates the instance */
export function decide(
  { targetState, spotAction, rebalanceNotice }: MetadataSnapshot,
  before: Announcements,
  nowEpochMs: Millis,
  terminationMs: Millis,
): Decision {
  const announced = {
    targetState: targetState ?? before.targetState,
    isTerminating: before.isTerminating || targetState === TERMINATED,
    isReclaimed: before.isReclaimed || spotAction !== undefined,
    isRebalanceRecommended: before.isRebalanceRecommended || rebalanceNotice !== undefined,
  };
  if (spotAction && !before.isReclaimed) {
    const reason = `Spot: ${spotAction.action} at ${new Date(spotAction.atEpochMs).toISOString()}`;
    return { announced, drain: { source: 'spot', reason, deadlineAtEpochMs: spotAction.atEpochMs - SPOT_MARGIN_MS } };
  }
  // EC2 does not wait for Auto Scaling: a Spot deadline stays.
  if (announced.isTerminating && !before.isTerminating && !before.isReclaimed) {
    const reason = 'Auto Scaling terminates this instance';
    return { announced, drain: { source: 'lifecycle', reason, deadlineAtEpochMs: nowEpochMs + terminationMs } };
  }
  return { announced, drain: undefined };
}
