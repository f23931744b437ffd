import type { IAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import {
  Alarm,
  AlarmRule,
  AlarmState,
  type CfnCompositeAlarm,
  ComparisonOperator,
  CompositeAlarm,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { capacityUsed, groupMetric } from './fleet-metrics.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { withRunbook } from './runbook.ts';
import { LAUNCH_TIMEOUT } from './timing.ts';

/** A fleet that has just been wanted is given time to come up, and a failed launch time to be seen as one. */
const WANTED_MINUTES = LAUNCH_TIMEOUT.toMinutes() + 5;
/** Over which an instance that is replaced, or a slow minute of a metric, is not an outage. */
const GONE_MINUTES = 3;
const SILENT_MINUTES = 5;

export interface OutageAlarmsProps {
  readonly loadBalancer: LoadBalancer;
  readonly group: IAutoScalingGroup;
}

/**
 * Says when there should be instances and none is to be seen. What tells of an instance, healthy or at work, is not
 * sent at all when there is none; so its absence counts as bad, but only while the fleet is meant to have instances.
 */
export class OutageAlarms extends Construct {
  readonly noHealthyInstance: CompositeAlarm;
  readonly noMetrics: CompositeAlarm;

  constructor(scope: Construct, id: string, { loadBalancer, group }: OutageAlarmsProps) {
    super(scope, id);
    const wanted = new Alarm(this, 'Wanted', {
      metric: groupMetric(group, 'GroupDesiredCapacity', Stats.MINIMUM),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: WANTED_MINUTES,
      // A group that does not tell how large it should be has not been made smaller on purpose.
      treatMissingData: TreatMissingData.IGNORE,
      alarmDescription: `No trouble by itself: the fleet has been meant to have instances for ${WANTED_MINUTES} minutes.`,
    });
    const noneHealthy = new Alarm(this, 'NoneHealthy', {
      metric: loadBalancer.healthyInstances(),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: GONE_MINUTES,
      // Not reported while no instance is registered, which is the worst case.
      treatMissingData: TreatMissingData.BREACHING,
      alarmDescription: 'Trouble only when the fleet is meant to have instances: none passes the health check.',
    });
    const silent = new Alarm(this, 'Silent', {
      metric: capacityUsed().with({ statistic: Stats.SAMPLE_COUNT }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: SILENT_MINUTES,
      // There is never a data point of no samples: missing is all that it can be.
      treatMissingData: TreatMissingData.BREACHING,
      alarmDescription: 'Trouble only when the fleet is meant to have instances: no daemon sends metrics.',
    });
    const whileWanted = (name: string, trouble: Alarm, says: string) => {
      const both = [trouble, wanted].map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM));
      const alarm = new CompositeAlarm(scope, name, {
        alarmRule: AlarmRule.allOf(...both),
        alarmDescription: withRunbook(name, says),
      });
      // CloudFormation makes up a name that another stack cannot have.
      (alarm.node.defaultChild as CfnCompositeAlarm).addPropertyDeletionOverride('AlarmName');
      return alarm;
    };
    this.noHealthyInstance = whileWanted(
      'NoHealthyInstance',
      noneHealthy,
      `No instance has passed the load balancer's health check for ${GONE_MINUTES} minutes: no call can be started.`,
    );
    this.noMetrics = whileWanted(
      'NoMetrics',
      silent,
      `No daemon has sent metrics for ${SILENT_MINUTES} minutes: no other alarm of calls can tell anything, and scaling is blind.`,
    );
  }
}
