import type { AutoScaling, GroupMember, LifecycleAction, LifecycleHook, Transition } from './auto-scaling.ts';
import { NoActiveAction } from './auto-scaling.ts';
import { type RetryOptions, retry } from './retry.ts';

/** Leaves two retries before Auto Scaling stops waiting. */
const HEARTBEATS_PER_TIMEOUT = 3;
/**
 * The instance waits for a hook of that transition, or is about to. `Warmed:` is a warm pool: launching hooks run when an
 * instance enters the pool and when it leaves it, and an instance that returns to the pool is pending there.
 */
const WAITING: Readonly<Record<Transition, RegExp>> = {
  launching: /^(Warmed:)?Pending(:Wait)?$/,
  terminating: /^(Warmed:)?Terminating(:Wait)?$|^Warmed:Pending(:Wait)?$/,
};

/** The instance's place in its Auto Scaling group. */
export interface Membership {
  readonly member: GroupMember;
  readonly hooks: readonly LifecycleHook[];
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
      const found = await autoScaling.findMember(member.instanceId, signal);
      // An instance that is not listed may be listed later.
      if (!found || WAITING[hook.transition].test(found.lifecycleState)) throw error;
      const { lifecycleState } = found;
      log.info({ event: 'lifecycle.not-waited', ...fields, lifecycleState }, 'Auto Scaling is no longer waiting');
    }
  };
  await retry(`complete the hook ${hook.name}`, complete, options);
}

/** True while the instance is on its way into the group or its warm pool. */
export function isLaunching({ lifecycleState }: GroupMember): boolean {
  return WAITING.launching.test(lifecycleState);
}

function actionOf(hook: LifecycleHook, { instanceId, groupName }: GroupMember): LifecycleAction {
  return { instanceId, groupName, hookName: hook.name };
}
