import { Aws, Duration } from 'aws-cdk-lib';
import type { IAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { MathExpression, Metric, SearchExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS_NAMESPACE } from '../daemon/contract/metrics-namespace.ts';

const A_MINUTE = Duration.minutes(1);
/** Failed starts are weighed over so long: at night calls are far between. */
const STARTS_WINDOW = Duration.minutes(15);

/** What the daemons of this stack send once a minute (daemon/metrics/README.md), all instances taken together. */
export function fleetMetric(metricName: string, statistic: string, period = A_MINUTE): Metric {
  const dimensionsMap = { Stack: Aws.STACK_NAME };
  return new Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap, statistic, period });
}

/** The same, a line for each instance: new ones too. */
export function instanceMetrics(metricName: string, statistic: string): SearchExpression {
  const dimensions = `{${METRICS_NAMESPACE},Stack,Instance}`;
  const query = `${dimensions} MetricName="${metricName}" Stack="${Aws.STACK_NAME}"`;
  return new SearchExpression({
    expression: `SEARCH('${query}', '${statistic}', ${A_MINUTE.toSeconds()})`,
    label: '',
    period: A_MINUTE,
  });
}

/** What Auto Scaling counts of the group, such as GroupDesiredCapacity. */
export function groupMetric(group: IAutoScalingGroup, metricName: string, statistic: string): Metric {
  return new Metric({
    namespace: 'AWS/AutoScaling',
    metricName,
    dimensionsMap: { AutoScalingGroupName: group.autoScalingGroupName },
    statistic,
    period: A_MINUTE,
  });
}

/** Sessions in percent of what the instances may take (MAX_SESSIONS). */
export function capacityUsed(): Metric {
  return fleetMetric('CapacityUsed', Stats.AVERAGE);
}

/**
 * Failed starts in percent of all. The trigger tries again, so two that fail may still be one call that starts: they
 * count from the third on. No starts at all are 0 %.
 */
export function startsFailedPercent(): MathExpression {
  return new MathExpression({
    expression: 'IF(failed > 2, 100 * failed / (failed + started), 0)',
    usingMetrics: {
      failed: fleetMetric('StartsFailed', Stats.SUM, STARTS_WINDOW),
      started: fleetMetric('SessionsStarted', Stats.SUM, STARTS_WINDOW),
    },
    label: 'starts that failed, %',
    period: STARTS_WINDOW,
  });
}
