import type { Neighbor } from './auto-scaling.ts';

/** What to do about an instance without a daemon. */
type AbsenceDecision =
  | { readonly name: 'report' }
  /** Not ours to replace: nobody, or somebody else, is at it. */
  | { readonly name: 'leave'; readonly why: string }
  /** Another instance is being replaced: if its replacement does not start either, replacing this one is no help. */
  | { readonly name: 'wait'; readonly why: string };

/**
 * Decides whether Auto Scaling should replace an instance without a daemon. One at a time: a setting that no daemon starts
 * with must not make a fleet replace itself over and over. An instance in Standby is being examined.
 */
export function absenceDecision(instanceId: string, group: readonly Neighbor[]): AbsenceDecision {
  const own = group.find((each) => each.instanceId === instanceId);
  if (own === undefined) return { name: 'leave', why: 'the instance is in no group' };
  if (own.lifecycleState !== 'InService') return { name: 'leave', why: `the instance is ${own.lifecycleState}` };
  if (!own.isHealthy) return { name: 'leave', why: 'Auto Scaling already knows' };
  const other = group.find(
    ({ isHealthy, lifecycleState, ...each }) =>
      each.instanceId !== instanceId && (!isHealthy || lifecycleState.startsWith('Pending')),
  );
  if (other) return { name: 'wait', why: `${other.instanceId} is ${other.lifecycleState}` };
  return { name: 'report' };
}
