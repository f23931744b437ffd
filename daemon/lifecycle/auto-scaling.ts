import type { AutoScalingClient, LifecycleHook as AwsHook } from '@aws-sdk/client-auto-scaling';
import type { Clock, Millis } from '../runtime/clock.ts';
import { Egress } from '../runtime/egress.ts';

/** A request without a response is retried after this. */
const RESPONSE_TIMEOUT_MS: Millis = 5000;
/** Auto Scaling's default for a hook without a time-out. */
const DEFAULT_HEARTBEAT_TIMEOUT_S = 3600;

/** The SDK's own default. */
const KEEP_ALIVE = { keepAlive: true, maxSockets: 50 };

export type Transition = 'launching' | 'terminating';

/** Auto Scaling's names for the transitions. */
const TRANSITIONS = {
  'autoscaling:EC2_INSTANCE_LAUNCHING': 'launching',
  'autoscaling:EC2_INSTANCE_TERMINATING': 'terminating',
} as const satisfies Record<string, Transition>;

/** The instance as its group sees it. */
export interface GroupMember {
  readonly instanceId: string;
  readonly groupName: string;
  /** Such as `Pending:Wait`, `InService` or `Terminating:Proceed`. */
  readonly lifecycleState: string;
}

/** An instance of the group, with its health as the group sees it. */
export interface Neighbor extends GroupMember {
  readonly isHealthy: boolean;
}

/** A group as it is, and as it should be. */
export interface Group {
  readonly instances: readonly Neighbor[];
  readonly desiredCapacity: number;
}

/** A hook makes an instance wait in a transition until this long after the last heartbeat. */
export interface LifecycleHook {
  readonly name: string;
  readonly transition: Transition;
  readonly heartbeatTimeoutMs: Millis;
}

/** One instance's wait for one hook. */
export interface LifecycleAction {
  readonly instanceId: string;
  readonly groupName: string;
  readonly hookName: string;
}

/** The part of Auto Scaling that an instance in a group needs. Each method makes one attempt; callers retry. */
export interface AutoScaling {
  /** The instance's place in its group; undefined when it is in none. */
  findMember(instanceId: string, signal: AbortSignal): Promise<GroupMember | undefined>;
  /** All instances of the group, and how many there should be. */
  describeGroup(groupName: string, signal: AbortSignal): Promise<Group>;
  /** Makes the group replace the instance. */
  reportUnhealthy(instanceId: string, signal: AbortSignal): Promise<void>;
  listHooks(groupName: string, signal: AbortSignal): Promise<readonly LifecycleHook[]>;
  /** Restarts the hook's time-out. Throws NoActiveAction when the instance is not waiting. */
  recordHeartbeat(action: LifecycleAction, signal: AbortSignal): Promise<void>;
  /** Ends the wait with CONTINUE. Throws NoActiveAction when the instance is not waiting. */
  completeAction(action: LifecycleAction, signal: AbortSignal): Promise<void>;
  /** Closes idle connections. */
  close(): void;
}

/** The instance is not waiting for this hook: not yet, or no longer. */
export class NoActiveAction extends Error {
  override readonly name = 'NoActiveAction';
}

/** The loaded SDK and its client. */
interface Sdk {
  readonly sdk: typeof import('@aws-sdk/client-auto-scaling');
  readonly client: AutoScalingClient;
}

/**
 * Connects to Auto Scaling in `region`, which may be resolved later, with the SDK's default credentials and
 * AWS_ENDPOINT_URL_AUTO_SCALING. Loads the SDK on the first request, so never off EC2.
 */
export function connectAutoScaling(
  region: string | (() => Promise<string>),
  clock: Clock,
  egress = new Egress(),
): AutoScaling {
  let loading: Promise<Sdk> | undefined;
  let client: AutoScalingClient | undefined;

  async function load(): Promise<Sdk> {
    const sdk = await import('@aws-sdk/client-auto-scaling');
    client = new sdk.AutoScalingClient({
      region,
      maxAttempts: 1,
      requestHandler: { httpsAgent: egress.agent(KEEP_ALIVE) },
    });
    return { sdk, client };
  }

  async function request<Output>(
    signal: AbortSignal,
    send: (sdk: Sdk, options: { abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<Output> {
    loading ??= load();
    const loaded = await loading;
    const abortSignal = AbortSignal.any([signal, clock.timeout(RESPONSE_TIMEOUT_MS)]);
    try {
      return await send(loaded, { abortSignal });
    } catch (cause) {
      if (signal.aborted || !abortSignal.aborted) throw cause;
      throw new Error(`Auto Scaling did not respond within ${RESPONSE_TIMEOUT_MS} ms`, { cause });
    }
  }

  return {
    async findMember(instanceId, signal) {
      const response = await request(signal, ({ sdk, client }, options) =>
        client.send(new sdk.DescribeAutoScalingInstancesCommand({ InstanceIds: [instanceId] }), options),
      );
      const [member] = response.AutoScalingInstances ?? [];
      if (!member?.AutoScalingGroupName) return undefined;
      const { AutoScalingGroupName: groupName, LifecycleState: lifecycleState = '' } = member;
      return { instanceId, groupName, lifecycleState };
    },
    async describeGroup(groupName, signal) {
      const response = await request(signal, ({ sdk, client }, options) =>
        client.send(new sdk.DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [groupName] }), options),
      );
      const [group] = response.AutoScalingGroups ?? [];
      const instances = (group?.Instances ?? []).map((instance) => ({
        instanceId: instance.InstanceId ?? '',
        groupName,
        lifecycleState: instance.LifecycleState ?? '',
        isHealthy: instance.HealthStatus?.toLowerCase() === 'healthy',
      }));
      return { instances, desiredCapacity: group?.DesiredCapacity ?? 0 };
    },
    async reportUnhealthy(instanceId, signal) {
      const input = { InstanceId: instanceId, HealthStatus: 'Unhealthy', ShouldRespectGracePeriod: false };
      await request(signal, ({ sdk, client }, options) =>
        client.send(new sdk.SetInstanceHealthCommand(input), options),
      );
    },
    async listHooks(groupName, signal) {
      const response = await request(signal, ({ sdk, client }, options) =>
        client.send(new sdk.DescribeLifecycleHooksCommand({ AutoScalingGroupName: groupName }), options),
      );
      return (response.LifecycleHooks ?? []).flatMap(hookOf);
    },
    async recordHeartbeat(action, signal) {
      await request(signal, ({ sdk, client }, options) =>
        client.send(new sdk.RecordLifecycleActionHeartbeatCommand(inputOf(action)), options),
      ).catch(translate);
    },
    async completeAction(action, signal) {
      const input = { ...inputOf(action), LifecycleActionResult: 'CONTINUE' };
      await request(signal, ({ sdk, client }, options) =>
        client.send(new sdk.CompleteLifecycleActionCommand(input), options),
      ).catch(translate);
    },
    close: () => client?.destroy(),
  };
}

/** Empty for a transition that we do not know. */
function hookOf({ LifecycleHookName: name, LifecycleTransition, HeartbeatTimeout }: AwsHook): LifecycleHook[] {
  const transition = TRANSITIONS[LifecycleTransition as keyof typeof TRANSITIONS];
  if (!name || !transition) return [];
  return [{ name, transition, heartbeatTimeoutMs: (HeartbeatTimeout ?? DEFAULT_HEARTBEAT_TIMEOUT_S) * 1000 }];
}

function inputOf({ instanceId, groupName, hookName }: LifecycleAction) {
  return { InstanceId: instanceId, AutoScalingGroupName: groupName, LifecycleHookName: hookName };
}

/** Auto Scaling reports this only in the message of a ValidationError. */
function translate(error: unknown): never {
  const isNotActive =
    error instanceof Error && error.name === 'ValidationError' && /no active lifecycle action/i.test(error.message);
  if (!isNotActive) throw error;
  throw new NoActiveAction(error.message, { cause: error });
}
