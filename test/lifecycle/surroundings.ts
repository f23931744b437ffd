import { setTimeout as sleep } from 'node:timers/promises';
import type { DrainOrder } from '../../daemon/admission/drain.ts';
import type { AutoScaling, GroupMember, LifecycleHook } from '../../daemon/lifecycle/auto-scaling.ts';
import type { LifecycleOptions } from '../../daemon/lifecycle/lifecycle.ts';
import type { Metadata } from '../../daemon/lifecycle/metadata.ts';
import { createLog, type Log } from '../../daemon/log/log.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import type { Line } from '../support/process.ts';

export const NOW_EPOCH_MS = Date.parse('2030-01-01T00:00:00Z');
export const DEADLINE_MS = 3_600_000;
export const MEMBER: GroupMember = {
  instanceId: 'i-1',
  groupName: 'integrators',
  lifecycleState: 'InService',
};
export const DRAIN_HOOK: LifecycleHook = { name: 'drain', transition: 'terminating', heartbeatTimeoutMs: 3_600_000 };

/** Plain objects tell no news by themselves; they are looked at so often. */
const POLL_MS = 5;

/** Waits until it is so. Unlike what is waited for, this keeps the process alive. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(POLL_MS);
}

/** A log that a test can read and wait for. */
export class LogBook {
  readonly lines: Line[] = [];
  readonly log: Log = createLog('debug', { write: (text) => this.lines.push(JSON.parse(text) as Line) });

  of(event: string): Line[] {
    return this.lines.filter((line) => line['event'] === event);
  }

  /** Waits until a line tells of the event; gives all that do. */
  async until(event: string): Promise<Line[]> {
    await until(() => this.of(event).length > 0);
    return this.of(event);
  }
}

/** All that startLifecycle needs, as plain objects: an instance in service, in a group with a terminating hook. */
export function surroundings(changes: {
  metadata?: Partial<Metadata>;
  autoScaling?: Partial<AutoScaling>;
  drain?: LifecycleOptions['drain'];
}) {
  const book = new LogBook();
  const orders: DrainOrder[] = [];
  const asked: string[] = [];
  const note = (request: string) => async () => {
    asked.push(request);
  };
  const metadata: Metadata = {
    instanceId: async () => MEMBER.instanceId,
    region: async () => 'us-east-1',
    targetLifecycleState: async () => 'InService',
    spotAction: async () => undefined,
    rebalanceNotice: async () => undefined,
    ...changes.metadata,
  };
  const autoScaling: AutoScaling = {
    findMember: async () => MEMBER,
    listHooks: async () => [DRAIN_HOOK],
    recordHeartbeat: note('heartbeat'),
    completeAction: note('complete'),
    close: () => {},
    ...changes.autoScaling,
  };
  const drain = {
    begin: (order: DrainOrder) => {
      orders.push(order);
    },
    ...changes.drain,
  };
  const options: LifecycleOptions = {
    metadata,
    autoScaling,
    drain,
    clock: { ...systemClock, now: () => 0, epoch: () => NOW_EPOCH_MS },
    log: book.log,
    random: () => 0,
    settings: { defaultDeadlineMs: DEADLINE_MS },
  };
  return { options, book, orders, asked };
}
