import type { IAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  type CompositeAlarm,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { compositeAlarm } from './composite-alarm.ts';
import { fleetMetric, groupMetric } from './fleet-metrics.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { withRunbook } from './runbook.ts';
import { LAUNCH_TIMEOUT } from './timing.ts';

/** Gives a new fleet time to start, and a failed launch time to be recognized. */
const DESIRED_MINUTES = LAUNCH_TIMEOUT.toMinutes() + 5;
/** A replaced instance, or a metric that is a minute late, is not an outage. */
const UNHEALTHY_MINUTES = 3;
const SILENT_MINUTES = 5;
/** Before the instance is replaced (systemd/integratord-absence.sh), and longer than a restart. */
const ILL_MINUTES = 4;

interface OutageAlarmsProps {
  readonly loadBalancer: LoadBalancer;
  readonly group: IAutoScalingGroup;
}

/**
 * Alarms for a fleet that should have instances but shows no sign of one. Metrics about instances are missing if there is
 * none, so missing data counts as breaching, but only while the group's desired capacity is above 0.
 */
export class OutageAlarms extends Construct {
  readonly unhealthyInstance: Alarm;
  readonly noHealthyInstance: CompositeAlarm;
  readonly noMetrics: CompositeAlarm;

  constructor(scope: Construct, id: string, { loadBalancer, group }: OutageAlarmsProps) {
    super(scope, id);
    this.unhealthyInstance = new Alarm(this, 'UnhealthyInstance', {
      metric: loadBalancer.unhealthyInstances(),
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: ILL_MINUTES,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: withRunbook(
        'UnhealthyInstance',
        `An instance has failed the load balancer's health check for ${ILL_MINUTES} minutes.`,
      ),
    });
    const desired = new Alarm(this, 'Desired', {
      metric: groupMetric(group, 'GroupDesiredCapacity', Stats.MINIMUM),
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: DESIRED_MINUTES,
      // Missing data does not mean that the fleet was emptied on purpose.
      treatMissingData: TreatMissingData.IGNORE,
      alarmDescription: `Not a problem by itself: the fleet should have had instances for ${DESIRED_MINUTES} minutes.`,
    });
    const noneHealthy = new Alarm(this, 'NoneHealthy', {
      metric: loadBalancer.healthyInstances(),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: UNHEALTHY_MINUTES,
      // Not reported if no instance is registered, which is the worst case.
      treatMissingData: TreatMissingData.BREACHING,
      alarmDescription: 'A problem only if the fleet should have instances: none passes the health check.',
    });
    const silent = new Alarm(this, 'Silent', {
      // Every daemon sends it, cordoned ones too.
      metric: fleetMetric('ActiveSessions', Stats.SAMPLE_COUNT),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: SILENT_MINUTES,
      // A data point without samples does not exist: data can only be missing.
      treatMissingData: TreatMissingData.BREACHING,
      alarmDescription: 'A problem only if the fleet should have instances: no daemon sends metrics.',
    });
    const whileDesired = (name: string, problem: Alarm, description: string) => {
      const both = [problem, desired].map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM));
      return compositeAlarm(scope, name, AlarmRule.allOf(...both), description);
    };
    this.noHealthyInstance = whileDesired(
      'NoHealthyInstance',
      noneHealthy,
      `No instance passed the load balancer's health check for ${UNHEALTHY_MINUTES} minutes: no call can start.`,
    );
    this.noMetrics = whileDesired(
      'NoMetrics',
      silent,
      `No daemon sent metrics for ${SILENT_MINUTES} minutes: alarms about calls cannot fire, and the fleet does not scale.`,
    );
  }
}
