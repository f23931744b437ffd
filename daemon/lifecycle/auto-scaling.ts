import type { AutoScalingClient, LifecycleHook as AwsHook } from '@aws-sdk/client-auto-scaling';
import type { Clock, Millis } from '../runtime/clock.ts';

/** A request that is not answered within this is tried again. */
const ANSWER_TIMEOUT_MS: Millis = 5000;
/** Auto Scaling's own default for a hook that is put without one. */
const DEFAULT_HEARTBEAT_TIMEOUT_S = 3600;

export type Transition = 'launching' | 'terminating';

/** Auto Scaling's names of the transitions. */
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

/** A hook makes an instance wait in a transition, for this long after the last heartbeat. */
export interface LifecycleHook {
  readonly name: string;
  readonly transition: Transition;
  readonly heartbeatTimeoutMs: Millis;
}

/** The wait that one hook lays on one instance. */
export interface LifecycleAction {
  readonly instanceId: string;
  readonly groupName: string;
  readonly hookName: string;
}

/** Auto Scaling, as far as an instance of a group needs it. One attempt each: who asks knows how patient to be. */
export interface AutoScaling {
  /** The instance's place in its group; undefined when it is in none. */
  findMember(instanceId: string, signal: AbortSignal): Promise<GroupMember | undefined>;
  listHooks(groupName: string, signal: AbortSignal): Promise<readonly LifecycleHook[]>;
  /** Lets the wait begin anew. Throws NoActiveAction when the instance does not wait. */
  recordHeartbeat(action: LifecycleAction, signal: AbortSignal): Promise<void>;
  /** Ends the wait with CONTINUE. Throws NoActiveAction when the instance does not wait. */
  completeAction(action: LifecycleAction, signal: AbortSignal): Promise<void>;
  /** Ends the connections that are kept for later use. */
  close(): void;
}

/** The instance does not wait for this hook: not yet, or no longer. */
export class NoActiveAction extends Error {
  override readonly name = 'NoActiveAction';
}

/** The SDK, once it is loaded, and a client of it. */
interface Sdk {
  readonly sdk: typeof import('@aws-sdk/client-auto-scaling');
  readonly client: AutoScalingClient;
}

/**
 * Auto Scaling in `region` (or where that says, once it is known), with the SDK's own credentials and its own
 * AWS_ENDPOINT_URL_AUTO_SCALING. The SDK is loaded at the first request: off EC2 never.
 */
export function connectAutoScaling(region: string | (() => Promise<string>), clock: Clock): AutoScaling {
  let loading: Promise<Sdk> | undefined;
  let client: AutoScalingClient | undefined;

  async function load(): Promise<Sdk> {
    const sdk = await import('@aws-sdk/client-auto-scaling');
    client = new sdk.AutoScalingClient({ region, maxAttempts: 1 });
    return { sdk, client };
  }

  /** Makes one request, in time. */
  async function ask<Output>(
    signal: AbortSignal,
    send: (sdk: Sdk, options: { abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<Output> {
    loading ??= load();
    const loaded = await loading;
    const abortSignal = AbortSignal.any([signal, clock.timeout(ANSWER_TIMEOUT_MS)]);
    try {
      return await send(loaded, { abortSignal });
    } catch (cause) {
      if (signal.aborted || !abortSignal.aborted) throw cause;
      throw new Error(`Auto Scaling did not respond within ${ANSWER_TIMEOUT_MS} ms`, { cause });
    }
  }

  return {
    async findMember(instanceId, signal) {
      const answer = await ask(signal, ({ sdk, client }, options) =>
        client.send(new sdk.DescribeAutoScalingInstancesCommand({ InstanceIds: [instanceId] }), options),
      );
      const [member] = answer.AutoScalingInstances ?? [];
      if (!member?.AutoScalingGroupName) return undefined;
      const { AutoScalingGroupName: groupName, LifecycleState: lifecycleState = '' } = member;
      return { instanceId, groupName, lifecycleState };
    },
    async listHooks(groupName, signal) {
      const answer = await ask(signal, ({ sdk, client }, options) =>
        client.send(new sdk.DescribeLifecycleHooksCommand({ AutoScalingGroupName: groupName }), options),
      );
      return (answer.LifecycleHooks ?? []).flatMap(hookOf);
    },
    async recordHeartbeat(action, signal) {
      await ask(signal, ({ sdk, client }, options) =>
        client.send(new sdk.RecordLifecycleActionHeartbeatCommand(inputOf(action)), options),
      ).catch(explain);
    },
    async completeAction(action, signal) {
      const input = { ...inputOf(action), LifecycleActionResult: 'CONTINUE' };
      await ask(signal, ({ sdk, client }, options) =>
        client.send(new sdk.CompleteLifecycleActionCommand(input), options),
      ).catch(explain);
    },
    close: () => client?.destroy(),
  };
}

/** What Auto Scaling answered as our term; a hook of a transition that we do not know is none of ours. */
function hookOf({ LifecycleHookName: name, LifecycleTransition, HeartbeatTimeout }: AwsHook): LifecycleHook[] {
  const transition = TRANSITIONS[LifecycleTransition as keyof typeof TRANSITIONS];
  if (!name || !transition) return [];
  return [{ name, transition, heartbeatTimeoutMs: (HeartbeatTimeout ?? DEFAULT_HEARTBEAT_TIMEOUT_S) * 1000 }];
}

function inputOf({ instanceId, groupName, hookName }: LifecycleAction) {
  return { InstanceId: instanceId, AutoScalingGroupName: groupName, LifecycleHookName: hookName };
}

/** Auto Scaling has no error of its own for this, only words. */
function explain(error: unknown): never {
  const isNotActive =
    error instanceof Error && error.name === 'ValidationError' && /no active lifecycle action/i.test(error.message);
  if (!isNotActive) throw error;
  throw new NoActiveAction(error.message, { cause: error });
}
