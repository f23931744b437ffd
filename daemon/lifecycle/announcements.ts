import type { DrainOrder } from '../admission/orders.ts';
import type { Millis } from '../runtime/clock.ts';
import type { MaintenanceEvent } from './maintenance.ts';
import type { MetadataSnapshot } from './watch.ts';

/** Remaining sessions end this long before EC2 takes the instance: time for Deepgram's last results. */
const MARGIN_MS: Millis = 20_000;
/** The target state of an instance that Auto Scaling is terminating, in the group or in its warm pool. */
const TERMINATED = /^(Warmed:)?Terminated$/;
/** The target state of an instance that is to wait in the group's warm pool. */
const IN_WARM_POOL = /^Warmed:/;
const IN_SERVICE = 'InService';

/** What EC2 and Auto Scaling have announced so far. Only maintenance can be called off. */
export interface Announcements {
  /** Auto Scaling's target for the instance, such as `InService`, when last read. */
  readonly targetState: string | undefined;
  /** Auto Scaling is taking the instance out of service: to terminate it or to return it to its warm pool. */
  readonly isTerminating: boolean;
  /** EC2 has sent the Spot notice. */
  readonly isReclaimed: boolean;
  readonly isRebalanceRecommended: boolean;
  /** The next scheduled event. */
  readonly maintenance: MaintenanceEvent | undefined;
  /** The deadline of the drain that was ordered for it; undefined before it is due. */
  readonly maintenanceDeadlineAtEpochMs: Millis | undefined;
}

export const NOTHING_ANNOUNCED: Announcements = {
  targetState: undefined,
  isTerminating: false,
  isReclaimed: false,
  isRebalanceRecommended: false,
  maintenance: undefined,
  maintenanceDeadlineAtEpochMs: undefined,
};

/** What a snapshot means for this instance. */
interface Decision {
  readonly announced: Announcements;
  /** The drains that new announcements ask for. */
  readonly drains: readonly DrainOrder[];
  /** The maintenance behind our drain was called off, or postponed so much that the drain would be too early. */
  readonly withdrawsMaintenance: boolean;
}

export interface DrainTimes {
  /** How long running calls have when Auto Scaling terminates the instance. */
  readonly terminationMs: Millis;
  /** How long before a scheduled event its drain begins. */
  readonly maintenanceLeadMs: Millis;
}

export function decide(
  snapshot: MetadataSnapshot,
  before: Announcements,
  nowEpochMs: Millis,
  { terminationMs, maintenanceLeadMs }: DrainTimes,
): Decision {
  const { targetState, spotAction, rebalanceNotice } = snapshot;
  const leaving = targetState === undefined ? undefined : whyLeaving(targetState, before.targetState);
  const drains: DrainOrder[] = [];
  if (spotAction && !before.isReclaimed) {
    const reason = `Spot: ${spotAction.action} at ${new Date(spotAction.atEpochMs).toISOString()}`;
    drains.push({ source: 'spot', reason, deadlineAtEpochMs: spotAction.atEpochMs - MARGIN_MS });
  } else if (leaving && !before.isTerminating && !before.isReclaimed) {
    // EC2 does not wait for Auto Scaling: a Spot deadline stays.
    drains.push({ source: 'lifecycle', reason: leaving, deadlineAtEpochMs: nowEpochMs + terminationMs });
  }
  const maintenance = nextEvent(snapshot.maintenance, before.maintenance, nowEpochMs);
  const order = maintenance && orderFor(maintenance, nowEpochMs, maintenanceLeadMs);
  if (order && order.deadlineAtEpochMs !== before.maintenanceDeadlineAtEpochMs) drains.push(order);
  return {
    announced: {
      targetState: targetState ?? before.targetState,
      isTerminating: before.isTerminating || leaving !== undefined,
      isReclaimed: before.isReclaimed || spotAction !== undefined,
      isRebalanceRecommended: before.isRebalanceRecommended || rebalanceNotice !== undefined,
      maintenance,
      maintenanceDeadlineAtEpochMs: order?.deadlineAtEpochMs,
    },
    drains,
    withdrawsMaintenance: !order && before.maintenanceDeadlineAtEpochMs !== undefined,
  };
}

/** True when an instance that was ready in the warm pool is on its way into service. */
export function leavesWarmPool(now: Announcements, before: Announcements): boolean {
  return now.targetState === IN_SERVICE && IN_WARM_POOL.test(before.targetState ?? '');
}

/** Why Auto Scaling takes the instance out of service; undefined while it does not. */
function whyLeaving(targetState: string, before: string | undefined): string | undefined {
  if (TERMINATED.test(targetState)) return 'Auto Scaling terminates this instance';
  const isReturning = before === IN_SERVICE && IN_WARM_POOL.test(targetState);
  return isReturning ? 'Auto Scaling returns this instance to its warm pool' : undefined;
}

/**
 * The first event to come. One that was due before this daemon first saw it may be over: a reboot is what started us.
 * @param events undefined when they could not be read
 */
function nextEvent(
  events: readonly MaintenanceEvent[] | undefined,
  before: MaintenanceEvent | undefined,
  nowEpochMs: Millis,
): MaintenanceEvent | undefined {
  if (!events) return before;
  const known = events.filter((event) => event.notBeforeEpochMs > nowEpochMs || event.eventId === before?.eventId);
  return known.toSorted((one, other) => one.notBeforeEpochMs - other.notBeforeEpochMs)[0];
}

/** The drain for a scheduled event; undefined while it is too early. */
function orderFor(
  { code, notBeforeEpochMs }: MaintenanceEvent,
  nowEpochMs: Millis,
  leadMs: Millis,
): DrainOrder | undefined {
  if (nowEpochMs < notBeforeEpochMs - leadMs) return undefined;
  const reason = `EC2 maintenance: ${code} at ${new Date(notBeforeEpochMs).toISOString()}`;
  return { source: 'maintenance', reason, deadlineAtEpochMs: notBeforeEpochMs - MARGIN_MS };
}
