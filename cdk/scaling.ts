import type { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { capacityUsed } from './fleet-metrics.ts';

/**
 * A guard in case calls cost more CPU than expected. Sessions are not spread evenly over the threads (WORKERS): at 60 %
 * average the busiest thread is near 80 %, beyond which audio queues up, and the load keeps growing for the minutes that
 * a new instance takes to start.
 */
const CPU_GUARD_PERCENT = 60;

/**
 * Scales the fleet with its calls. The policy that asks for more instances wins; the fleet shrinks only if both agree.
 */
export function scaleWithCalls(group: AutoScalingGroup, targetCapacityPercent: number): void {
  group.scaleToTrackMetric('Capacity', { metric: capacityUsed(), targetValue: targetCapacityPercent });
  group.scaleOnCpuUtilization('CpuGuard', { targetUtilizationPercent: CPU_GUARD_PERCENT });
}
