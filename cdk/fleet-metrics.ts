import { Aws, Duration } from 'aws-cdk-lib';
import type { IAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { MathExpression, Metric, SearchExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS_NAMESPACE } from '../daemon/contract/metrics-namespace.ts';

const A_MINUTE = Duration.minutes(1);
/** Long enough for a ratio at night, when calls are rare. */
const STARTS_WINDOW = Duration.minutes(15);

/** A consumer that is deployed or restarted is down for less. */
export const RESULTS_LATE = Duration.minutes(5);

/** A metric that the daemons send once a minute (daemon/metrics/README.md), over all instances of the stack. */
export function fleetMetric(metricName: string, statistic: string, period = A_MINUTE): Metric {
  const dimensionsMap = { Stack: Aws.STACK_NAME };
  return new Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap, statistic, period });
}

/** The same with a line per instance, including future ones. */
export function instanceMetrics(metricName: string, statistic: string): SearchExpression {
  const dimensions = `{${METRICS_NAMESPACE},Stack,Instance}`;
  const query = `${dimensions} MetricName="${metricName}" Stack="${Aws.STACK_NAME}"`;
  return new SearchExpression({
    expression: `SEARCH('${query}', '${statistic}', ${A_MINUTE.toSeconds()})`,
    label: '',
    period: A_MINUTE,
  });
}

/** A metric of Auto Scaling about the group, such as GroupDesiredCapacity. */
export function groupMetric(group: IAutoScalingGroup, metricName: string, statistic: string): Metric {
  return new Metric({
    namespace: 'AWS/AutoScaling',
    metricName,
    dimensionsMap: { AutoScalingGroupName: group.autoScalingGroupName },
    statistic,
    period: A_MINUTE,
  });
}

/** Sessions in percent of the instances' capacity (MAX_SESSIONS). */
export function capacityUsed(): Metric {
  return fleetMetric('CapacityUsed', Stats.AVERAGE);
}

/** Above 0 while results of calls wait for longer than that, become dead letters, or are lost. */
export function resultsNotDelivered(): MathExpression {
  return new MathExpression({
    expression: `IF(age > ${RESULTS_LATE.toSeconds()}, 1, 0) + dead + lost`,
    usingMetrics: {
      age: fleetMetric('ResultsBacklogAgeSeconds', Stats.MAXIMUM),
      dead: fleetMetric('ResultsDeadLetters', Stats.SUM),
      lost: fleetMetric('ResultsLost', Stats.SUM),
    },
    label: 'results not delivered',
    period: A_MINUTE,
  });
}

/**
 * Failed starts in percent of all starts; 0 without any. Up to two failures are ignored: the trigger retries, so both
 * may belong to one call that started in the end.
 */
export function startsFailedPercent(): MathExpression {
  return new MathExpression({
    expression: 'IF(failed > 2, 100 * failed / (failed + started), 0)',
    usingMetrics: {
      failed: fleetMetric('StartsFailed', Stats.SUM, STARTS_WINDOW),
      started: fleetMetric('SessionsStarted', Stats.SUM, STARTS_WINDOW),
    },
    label: 'failed starts, %',
    period: STARTS_WINDOW,
  });
}
