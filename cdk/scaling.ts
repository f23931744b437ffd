import type { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { capacityUsed } from './fleet-metrics.ts';

/**
 * A guard for calls that cost more than was reckoned. Sessions are spread over a thread for each CPU (WORKERS), but not
 * evenly: at 60 % on average the busiest thread is near 80 %, past which audio waits for audio, and the load goes on
 * growing for the minutes that a new instance takes.
 */
const CPU_GUARD_PERCENT = 60;

/**
 * Keeps the fleet as large as its calls need. Of the two, the one that wants more instances decides, and instances
 * go only when both agree.
 */
export function scaleWithCalls(group: AutoScalingGroup, targetCapacityPercent: number): void {
  group.scaleToTrackMetric('Capacity', { metric: capacityUsed(), targetValue: targetCapacityPercent });
  group.scaleOnCpuUtilization('CpuGuard', { targetUtilizationPercent: CPU_GUARD_PERCENT });
}
