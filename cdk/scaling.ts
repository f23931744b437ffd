import { Aws, Duration } from 'aws-cdk-lib';
import type { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS_NAMESPACE } from './names.ts';

/** A guard for calls that cost more than was reckoned. One busy thread is at its end at 50 % of two CPUs. */
const CPU_GUARD_PERCENT = 40;

/**
 * Keeps the fleet as large as its calls need. Of the two, the one that wants more instances decides, and instances
 * go only when both agree.
 */
export function scaleWithCalls(group: AutoScalingGroup, targetCapacityPercent: number): void {
  group.scaleToTrackMetric('Capacity', { metric: capacityUsed(), targetValue: targetCapacityPercent });
  group.scaleOnCpuUtilization('CpuGuard', { targetUtilizationPercent: CPU_GUARD_PERCENT });
}

/** Sessions in percent of what the instances may take (MAX_SESSIONS), as the daemons send it once a minute. */
export function capacityUsed(): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName: 'CapacityUsed',
    dimensionsMap: { Stack: Aws.STACK_NAME },
    statistic: Stats.AVERAGE,
    period: Duration.minutes(1),
  });
}
