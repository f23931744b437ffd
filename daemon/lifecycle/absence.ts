import type { Group } from './auto-scaling.ts';

/** What to do about an instance without a daemon. */
type AbsenceDecision =
  | { readonly name: 'report' }
  /** Not ours to replace: nobody, or somebody else, is at it. */
  | { readonly name: 'leave'; readonly why: string }
  /** Another instance is being replaced: if its replacement does not start either, replacing this one is no help. */
  | { readonly name: 'wait'; readonly why: string };

/**
 * Decides whether Auto Scaling should replace an instance without a daemon. One at a time: a setting that no daemon starts
 * with must not make a fleet replace itself over and over. Between two attempts to launch a replacement nothing launches,
 * but an instance is missing. An instance in Standby is being examined.
 */
export function absenceDecision(instanceId: string, { instances, desiredCapacity }: Group): AbsenceDecision {
  const own = instances.find((each) => each.instanceId === instanceId);
  if (own === undefined) return { name: 'leave', why: 'the instance is in no group' };
  if (own.lifecycleState !== 'InService') return { name: 'leave', why: `the instance is ${own.lifecycleState}` };
  if (!own.isHealthy) return { name: 'leave', why: 'Auto Scaling already knows' };
  const other = instances.find(
    ({ isHealthy, lifecycleState, ...each }) =>
      each.instanceId !== instanceId && (!isHealthy || lifecycleState.startsWith('Pending')),
  );
  if (other) return { name: 'wait', why: `${other.instanceId} is ${describe(other)}` };
  const inService = instances.filter(({ lifecycleState }) => lifecycleState === 'InService').length;
  if (inService < desiredCapacity) return { name: 'wait', why: `${inService} of ${desiredCapacity} are in service` };
  return { name: 'report' };
}

function describe({ lifecycleState, isHealthy }: Group['instances'][number]): string {
  return isHealthy ? lifecycleState : `${lifecycleState} and unhealthy`;
}
