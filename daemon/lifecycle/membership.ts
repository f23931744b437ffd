import type { AutoScaling, GroupMember, LifecycleAction, LifecycleHook, Transition } from './auto-scaling.ts';
import { NoActiveAction } from './auto-scaling.ts';
import { type RetryOptions, retry } from './retry.ts';

/** Leaves two retries before Auto Scaling stops waiting. */
const HEARTBEATS_PER_TIMEOUT = 3;
/** The instance is waiting for a hook, or about to. */
const WAITING = /^(Pending|Terminating)(:Wait)?$/;

/** The instance's place in its Auto Scaling group. */
export interface Membership {
  readonly member: GroupMember;
  readonly hooks: readonly LifecycleHook[];
}

/** The instance's place in its group; undefined when it is in none. */
export async function findMembership(
  instanceId: string,
  autoScaling: AutoScaling,
  signal: AbortSignal,
): Promise<Membership | undefined> {
  const member = await autoScaling.findMember(instanceId, signal);
  return member && { member, hooks: await autoScaling.listHooks(member.groupName, signal) };
}

/** The group's hooks for that transition. */
export function hooksOf({ hooks }: Membership, transition: Transition): LifecycleHook[] {
  return hooks.filter((hook) => hook.transition === transition);
}

/** Keeps Auto Scaling waiting by heartbeats, the first one immediately. Rejects when the signal aborts. */
export async function keepWaiting(
  hook: LifecycleHook,
  member: GroupMember,
  autoScaling: AutoScaling,
  options: RetryOptions,
): Promise<never> {
  const { clock, log, signal } = options;
  const intervalMs = hook.heartbeatTimeoutMs / HEARTBEATS_PER_TIMEOUT;
  const action = actionOf(hook, member);
  const send = (attemptSignal: AbortSignal) => autoScaling.recordHeartbeat(action, attemptSignal);
  for (;;) {
    await retry(`send a heartbeat for the hook ${hook.name}`, send, { ...options, longestRetryMs: intervalMs });
    const fields = { event: 'lifecycle.heartbeat', hook: hook.name, nextInMs: intervalMs };
    log.debug(fields, 'Auto Scaling keeps waiting');
    await clock.sleep(intervalMs, signal);
  }
}

/** Ends the instance's wait for the hook, unless it is over. Rejects only when the signal aborts. */
export async function completeWait(
  hook: LifecycleHook,
  member: GroupMember,
  autoScaling: AutoScaling,
  options: RetryOptions,
): Promise<void> {
  const { log } = options;
  const fields = { hook: hook.name, transition: hook.transition };
  const complete = async (signal: AbortSignal) => {
    try {
      await autoScaling.completeAction(actionOf(hook, member), signal);
      log.info({ event: 'lifecycle.completed', ...fields }, 'completed the lifecycle hook');
    } catch (error) {
      if (!(error instanceof NoActiveAction)) throw error;
      // Either the wait has not begun, or an earlier attempt succeeded and its response was lost.
      const { lifecycleState = 'none' } = (await autoScaling.findMember(member.instanceId, signal)) ?? {};
      if (WAITING.test(lifecycleState)) throw error;
      log.info({ event: 'lifecycle.not-waited', ...fields, lifecycleState }, 'Auto Scaling is no longer waiting');
    }
  };
  await retry(`complete the hook ${hook.name}`, complete, options);
}

/** True while the instance is on its way into the group. */
export function isLaunching({ lifecycleState }: GroupMember): boolean {
  return WAITING.test(lifecycleState) && lifecycleState.startsWith('Pending');
}

function actionOf(hook: LifecycleHook, { instanceId, groupName }: GroupMember): LifecycleAction {
  return { instanceId, groupName, hookName: hook.name };
}
