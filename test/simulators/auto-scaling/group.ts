import { z } from 'zod';
import type { Content } from './xml.ts';

/** Auto Scaling's defaults, in seconds. */
const MAX_GLOBAL_TIMEOUT_S = 172_800;
const GLOBAL_TIMEOUT_HEARTBEATS = 100;

export const hookList = z.array(
  z.strictObject({
    name: z.string().min(1),
    transition: z.enum(['autoscaling:EC2_INSTANCE_LAUNCHING', 'autoscaling:EC2_INSTANCE_TERMINATING']),
    heartbeatTimeoutS: z.int().positive(),
  }),
);
export type Hook = z.infer<typeof hookList>[number];

export const instanceChange = z.strictObject({
  /** null: the instance is not in a group. */
  lifecycleState: z.string().nullable().optional(),
  /** This many look-ups do not list the instance yet: Auto Scaling is eventually consistent. */
  unlistedLookups: z.int().nonnegative().optional(),
  /** As Auto Scaling sees it. */
  isHealthy: z.boolean().optional(),
  /** Of the group; as many as there are, if not given. */
  desiredCapacity: z.int().nonnegative().optional(),
});
/** The other instances of the group. */
export const neighborList = z.array(
  z.strictObject({ instanceId: z.string(), lifecycleState: z.string(), isHealthy: z.boolean() }),
);
export type Neighbors = z.infer<typeof neighborList>;
export type InstanceChange = z.infer<typeof instanceChange>;

/** An action that Auto Scaling refuses with ValidationError. */
export class Invalid extends Error {}

/** A group with one instance, whatever its id, and lifecycle hooks. */
export class Group {
  readonly name: string;
  #hooks: readonly Hook[] = [];
  #neighbors: Neighbors = [];
  /** Known from the first request about it. */
  #instanceId = '';
  #instance: InstanceChange = { lifecycleState: 'InService', isHealthy: true };
  /** Completed hooks. */
  readonly #completed = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }

  /** Replaces all hooks; none of them is completed. */
  setHooks(hooks: readonly Hook[]): void {
    this.#hooks = hooks;
    this.#completed.clear();
  }

  changeInstance(change: InstanceChange): void {
    this.#instance = { ...this.#instance, ...change };
  }

  setNeighbors(neighbors: Neighbors): void {
    this.#neighbors = neighbors;
  }

  /** Executes an action; returns the content of the response. */
  perform(action: string, params: Readonly<Record<string, string>>): Content {
    switch (action) {
      case 'DescribeAutoScalingInstances':
        return { AutoScalingInstances: this.#describeInstance(params['InstanceIds.member.1'] ?? '') };
      case 'DescribeAutoScalingGroups':
        return { AutoScalingGroups: [this.#describeGroup()] };
      case 'SetInstanceHealth':
        return this.#setHealth(params);
      case 'DescribeLifecycleHooks':
        return { LifecycleHooks: this.#describeHooks(params) };
      case 'RecordLifecycleActionHeartbeat':
        this.#activeHook(params);
        return {};
      case 'CompleteLifecycleAction':
        return this.#complete(params);
      default:
        throw new Invalid(`Could not find operation ${action} for version 2011-01-01`);
    }
  }

  #describeInstance(instanceId: string): Content {
    this.#instanceId = instanceId;
    const { lifecycleState, unlistedLookups = 0 } = this.#instance;
    if (unlistedLookups > 0) {
      this.#instance.unlistedLookups = unlistedLookups - 1;
      return [];
    }
    if (!lifecycleState) return [];
    const place = { InstanceId: instanceId, AutoScalingGroupName: this.name, AvailabilityZone: 'us-east-1a' };
    const state = { LifecycleState: lifecycleState, HealthStatus: this.#instance.isHealthy ? 'HEALTHY' : 'UNHEALTHY' };
    return [{ ...place, ...state, ProtectedFromScaleIn: false }];
  }

  #describeGroup(): Content {
    const { lifecycleState, isHealthy = true, desiredCapacity } = this.#instance;
    const own = lifecycleState ? [{ instanceId: this.#instanceId, lifecycleState, isHealthy }] : [];
    const members = [...own, ...this.#neighbors];
    const wanted = members.filter((each) => /^(InService|Pending)/.test(each.lifecycleState));
    return {
      AutoScalingGroupName: this.name,
      DesiredCapacity: desiredCapacity ?? wanted.length,
      Instances: members.map((each) => ({
        InstanceId: each.instanceId,
        LifecycleState: each.lifecycleState,
        // Spelled otherwise than by DescribeAutoScalingInstances.
        HealthStatus: each.isHealthy ? 'Healthy' : 'Unhealthy',
      })),
    };
  }

  #setHealth({ InstanceId: id, HealthStatus: status }: Readonly<Record<string, string>>): Content {
    if (id !== this.#instanceId) throw new Invalid(`Instance Id not found - No managed instance found for ${id}`);
    if (status !== 'Healthy' && status !== 'Unhealthy') throw new Invalid(`Invalid HealthStatus: ${status}`);
    this.#instance.isHealthy = status === 'Healthy';
    return {};
  }

  #describeHooks(params: Readonly<Record<string, string>>): Content {
    this.#checkGroup(params);
    return this.#hooks.map(({ name, transition, heartbeatTimeoutS }) => ({
      LifecycleHookName: name,
      AutoScalingGroupName: this.name,
      LifecycleTransition: transition,
      HeartbeatTimeout: heartbeatTimeoutS,
      GlobalTimeout: Math.min(heartbeatTimeoutS * GLOBAL_TIMEOUT_HEARTBEATS, MAX_GLOBAL_TIMEOUT_S),
      DefaultResult: 'ABANDON',
    }));
  }

  #complete(params: Readonly<Record<string, string>>): Content {
    const result = params['LifecycleActionResult'];
    if (result !== 'CONTINUE' && result !== 'ABANDON') throw new Invalid(`Invalid LifecycleActionResult: ${result}`);
    const { name, transition } = this.#activeHook(params);
    this.#completed.add(name);
    const isLaunching = transition === 'autoscaling:EC2_INSTANCE_LAUNCHING';
    this.#instance.lifecycleState = isLaunching ? 'InService' : 'Terminating:Proceed';
    return {};
  }

  /** The hook that the instance waits for. Whether it terminates is known only to the metadata simulator, so that is not
   *  checked. */
  #activeHook(params: Readonly<Record<string, string>>): Hook {
    this.#checkGroup(params);
    const { LifecycleHookName: name, InstanceId: instanceId } = params;
    const hook = this.#hooks.find((each) => each.name === name);
    if (!hook) throw new Invalid(`Lifecycle hook ${name} not found for group ${this.name}`);
    const isLaunching = hook.transition === 'autoscaling:EC2_INSTANCE_LAUNCHING';
    const isTooEarly = ['Pending', 'Terminating'].includes(this.#instance.lifecycleState ?? '');
    const isOver = this.#completed.has(hook.name) || (isLaunching && this.#instance.lifecycleState !== 'Pending:Wait');
    if (isTooEarly || isOver) throw new Invalid(`No active Lifecycle Action found with instance ID ${instanceId}`);
    return hook;
  }

  #checkGroup({ AutoScalingGroupName: name }: Readonly<Record<string, string>>): void {
    if (name !== this.name) throw new Invalid(`AutoScalingGroup name not found - AutoScalingGroup ${name} not found`);
  }
}
