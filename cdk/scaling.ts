import { Stack } from 'aws-cdk-lib';
import { type AutoScalingGroup, CfnScalingPolicy } from 'aws-cdk-lib/aws-autoscaling';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { capacityUsed } from './fleet-metrics.ts';
import { WARM_UP } from './timing.ts';

/**
 * A guard in case calls cost more CPU than expected. Sessions are not spread evenly over the threads (WORKERS): at 60 %
 * average the busiest thread is near 80 %, beyond which audio queues up, and the load keeps growing for the minutes that
 * a new instance takes to start.
 */
const CPU_GUARD_PERCENT = 60;

/**
 * Scales the fleet with its calls. The policy that asks for more instances wins; the fleet shrinks only if both target
 * tracking policies agree.
 */
export function scaleWithCalls(group: AutoScalingGroup, targetCapacityPercent: number): void {
  group.scaleToTrackMetric('Capacity', { metric: capacityUsed(), targetValue: targetCapacityPercent });
  group.scaleOnCpuUtilization('CpuGuard', { targetUtilizationPercent: CPU_GUARD_PERCENT });
  growInBursts(group, targetCapacityPercent);
}

/**
 * Target tracking waits for three breaching minutes, then a new instance needs one or two to start. Half-way between the
 * target and a full fleet there is no time for that: one breaching minute adds a quarter of the fleet, and half of it
 * when three quarters of the way are gone.
 */
function growInBursts(group: AutoScalingGroup, targetCapacityPercent: number): void {
  const room = 100 - targetCapacityPercent;
  const [threshold, urgent] = [targetCapacityPercent + room / 2, targetCapacityPercent + (room * 3) / 4];
  const policy = new CfnScalingPolicy(group, 'Burst', {
    autoScalingGroupName: group.autoScalingGroupName,
    policyType: 'StepScaling',
    adjustmentType: 'PercentChangeInCapacity',
    metricAggregationType: 'Average',
    minAdjustmentMagnitude: 1,
    estimatedInstanceWarmup: WARM_UP.toSeconds(),
    stepAdjustments: [
      { metricIntervalLowerBound: 0, metricIntervalUpperBound: urgent - threshold, scalingAdjustment: 25 },
      { metricIntervalLowerBound: urgent - threshold, scalingAdjustment: 50 },
    ],
  });
  const alarm = new Alarm(group, 'BurstAlarm', {
    metric: capacityUsed(),
    threshold,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: 1,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    alarmDescription: `Not a problem by itself: ${Stack.of(group).stackName} adds instances.`,
  });
  alarm.addAlarmAction({ bind: () => ({ alarmActionArn: policy.ref }) });
}
