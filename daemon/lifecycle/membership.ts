import type { AutoScaling, GroupMember, LifecycleAction, LifecycleHook, Transition } from './auto-scaling.ts';
import { NoActiveAction } from './auto-scaling.ts';
import { type Persistence, pause, persist } from './retry.ts';

/** Three chances to send one heartbeat before the hook's time is over. */
const BEATS_PER_TIMEOUT = 3;
/** The instance waits, or is about to. */
const WAITING = /^(Pending|Terminating)(:Wait)?$/;

/** The instance's place in its Auto Scaling group. */
export interface Membership {
  readonly member: GroupMember;
  readonly hooks: readonly LifecycleHook[];
}

/** Asks Auto Scaling for the instance's place; undefined when it is in no group. */
export async function findMembership(
  instanceId: string,
  autoScaling: AutoScaling,
  signal: AbortSignal,
): Promise<Membership | undefined> {
  const member = await autoScaling.findMember(instanceId, signal);
  return member && { member, hooks: await autoScaling.listHooks(member.groupName, signal) };
}

/** The hooks of the group that make its instances wait in that transition. */
export function hooksOf({ hooks }: Membership, transition: Transition): LifecycleHook[] {
  return hooks.filter((hook) => hook.transition === transition);
}

/** Sends heartbeats of the instance's wait, the first at once, until the signal, with which it rejects. */
export async function keepWaiting(
  hook: LifecycleHook,
  member: GroupMember,
  autoScaling: AutoScaling,
  persistence: Persistence,
): Promise<never> {
  const intervalMs = hook.heartbeatTimeoutMs / BEATS_PER_TIMEOUT;
  const action = actionOf(hook, member);
  const send = (signal: AbortSignal) => autoScaling.recordHeartbeat(action, signal);
  for (;;) {
    await persist(`send the heartbeat of the hook ${hook.name}`, send, { ...persistence, longestRetryMs: intervalMs });
    const fields = { event: 'lifecycle.heartbeat', hook: hook.name, nextInMs: intervalMs };
    persistence.log.debug(fields, 'Auto Scaling goes on waiting');
    await pause(intervalMs, persistence.signal);
  }
}

/** Ends the instance's wait; does nothing when that is over already. Rejects only with the signal. */
export async function completeWait(
  hook: LifecycleHook,
  member: GroupMember,
  autoScaling: AutoScaling,
  persistence: Persistence,
): Promise<void> {
  const { log } = persistence;
  const fields = { hook: hook.name, transition: hook.transition };
  const complete = async (signal: AbortSignal) => {
    try {
      await autoScaling.completeAction(actionOf(hook, member), signal);
      log.info({ event: 'lifecycle.completed', ...fields }, 'Auto Scaling goes on with the instance');
    } catch (error) {
      if (!(error instanceof NoActiveAction)) throw error;
      // Either too early, or an earlier attempt whose answer was lost has done it.
      const { lifecycleState = 'none' } = (await autoScaling.findMember(member.instanceId, signal)) ?? {};
      if (WAITING.test(lifecycleState)) throw error;
      log.info({ event: 'lifecycle.not-waited', ...fields, lifecycleState }, 'Auto Scaling does not wait any more');
    }
  };
  await persist(`complete the hook ${hook.name}`, complete, persistence);
}

/** Whether the instance is on its way into the group. */
export function isLaunching({ lifecycleState }: GroupMember): boolean {
  return WAITING.test(lifecycleState) && lifecycleState.startsWith('Pending');
}

function actionOf(hook: LifecycleHook, { instanceId, groupName }: GroupMember): LifecycleAction {
  return { instanceId, groupName, hookName: hook.name };
}
