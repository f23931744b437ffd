import type { ExecutionContext } from 'ava';
import type { DrainOrder } from '../../daemon/admission/orders.ts';
import type { DrainSource } from '../../daemon/contract/control-api.ts';
import type { AutoScaling, GroupMember, LifecycleHook } from '../../daemon/lifecycle/auto-scaling.ts';
import type { Lifecycle, LifecycleOptions } from '../../daemon/lifecycle/lifecycle.ts';
import type { MaintenanceEvent } from '../../daemon/lifecycle/maintenance.ts';
import type { Metadata } from '../../daemon/lifecycle/metadata.ts';
import { startLifecycle } from '../../daemon/lifecycle/start-lifecycle.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export const NOW_EPOCH_MS = Date.parse('2030-01-01T00:00:00Z');
export const TERMINATION_MS = 3_600_000;
export const MAINTENANCE_LEAD_MS = 7_200_000;
const MEMBER: GroupMember = { instanceId: 'i-1', groupName: 'integrators', lifecycleState: 'InService' };
export const DRAIN_HOOK: LifecycleHook = { name: 'drain', transition: 'terminating', heartbeatTimeoutMs: 30_000 };
export const ARRIVE_HOOK: LifecycleHook = { name: 'arrive', transition: 'launching', heartbeatTimeoutMs: 300_000 };

/** Metadata, Auto Scaling and drain as plain objects: an instance in service whose group has a terminating hook. */
export class FakeAws {
  readonly clock = new VirtualClock({ epochMs: NOW_EPOCH_MS });
  readonly recorded = recordedLog();
  readonly metadata: { -readonly [Name in keyof Metadata]: Metadata[Name] } = {
    absence: undefined,
    instanceId: async () => MEMBER.instanceId,
    region: async () => 'us-east-1',
    targetLifecycleState: async () => this.targetState,
    spotAction: async () => undefined,
    rebalanceNotice: async () => undefined,
    maintenanceEvents: async () => this.maintenance,
  };
  readonly autoScaling: AutoScaling = {
    findMember: async () => ({ ...MEMBER, lifecycleState: this.lifecycleState }),
    describeGroup: async () => ({
      instances: [{ ...MEMBER, lifecycleState: this.lifecycleState, isHealthy: true }],
      desiredCapacity: 1,
    }),
    reportUnhealthy: async () => this.#note('unhealthy'),
    listHooks: async () => this.hooks,
    recordHeartbeat: async ({ hookName }) => this.#note(`heartbeat ${hookName}`),
    completeAction: async ({ hookName }) => this.#note(`complete ${hookName}`),
    close: () => {},
  };
  readonly drain = {
    begin: (order: DrainOrder): void => {
      this.orders.push(order);
    },
    withdraw: (source: DrainSource): void => {
      this.withdrawn.push(source);
    },
  };
  targetState: string | undefined = 'InService';
  lifecycleState = MEMBER.lifecycleState;
  hooks: readonly LifecycleHook[] = [DRAIN_HOOK];
  maintenance: readonly MaintenanceEvent[] = [];
  readonly withdrawn: DrainSource[] = [];
  /** The drains that were ordered. */
  readonly orders: DrainOrder[] = [];
  /** Heartbeats and completions that succeeded, with the time since the test began. */
  readonly requests: { readonly request: string; readonly atMs: number }[] = [];
  readonly #startMs = this.clock.now();

  get options(): LifecycleOptions {
    const { metadata, autoScaling, drain, clock } = this;
    return {
      metadata,
      autoScaling,
      drain,
      clock,
      log: this.recorded.log,
      random: () => 0,
      terminationMs: TERMINATION_MS,
      maintenanceLeadMs: MAINTENANCE_LEAD_MS,
    };
  }

  /** The requests without their times. */
  get requested(): string[] {
    return this.requests.map(({ request }) => request);
  }

  /** Starts a lifecycle, which the end of the test stops. */
  async start(t: ExecutionContext): Promise<Lifecycle> {
    const lifecycle = startLifecycle(this.options);
    t.teardown(() => lifecycle.stop());
    await this.clock.settle();
    return lifecycle;
  }

  #note(request: string): void {
    this.requests.push({ request, atMs: this.clock.now() - this.#startMs });
  }
}

/** A method that rejects `times` times (always by default) and then does what it did before. */
export function failing<Args extends unknown[], Result>(
  method: (...args: Args) => Promise<Result>,
  error: Error,
  times = Infinity,
): (...args: Args) => Promise<Result> {
  let failuresLeft = times;
  return (...args) => {
    if (failuresLeft <= 0) return method(...args);
    failuresLeft--;
    return Promise.reject(error);
  };
}
