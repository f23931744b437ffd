import type { IAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import {
  Alarm,
  type AlarmBase,
  ComparisonOperator,
  type IMetric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { capacityUsed, fleetMetric, startsFailedPercent } from './fleet-metrics.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { OutageAlarms } from './outage-alarms.ts';
import { withRunbook } from './runbook.ts';

/** Above it, scaling has not kept up, or may not: its own target is lower (settings.ts). */
export const CAPACITY_ALARM_PERCENT = 85;
export const STARTS_FAILED_ALARM_PERCENT = 1;

/** Something that must not go on: an alarm once the metric is above the threshold in so many of the last minutes. */
interface Watched {
  readonly metric: () => IMetric;
  readonly above: number;
  /** In how many of how many evaluations, which are a minute apart. */
  readonly times: number;
  readonly of: number;
  readonly says: string;
}

/** By the heading in README.md that says what to do. */
const WATCHED: Readonly<Record<string, Watched>> = {
  Holes: {
    metric: () => fleetMetric('HoleMilliseconds', Stats.SUM),
    above: 0,
    // A call that loses a fragment is in the log and on the dashboard; what goes on is in more than one call.
    times: 5,
    of: 5,
    says: 'Audio of calls has been missing in each of the last 5 minutes.',
  },
  StartsFailing: {
    metric: startsFailedPercent,
    above: STARTS_FAILED_ALARM_PERCENT,
    // The metric itself looks back far enough; a fleet that starts nothing shows in the first minute.
    times: 1,
    of: 1,
    says: 'More than 1 % of the starts of the last 15 minutes failed, and at least 3.',
  },
  CapacityShort: {
    metric: capacityUsed,
    above: CAPACITY_ALARM_PERCENT,
    // A burst is scaling's to answer: an instance is there within three minutes.
    times: 5,
    of: 5,
    says: 'More than 85 % of the fleet has been in use for 5 minutes, and scaling has not helped.',
  },
  DrainOverdue: {
    metric: () => fleetMetric('DrainOverdue', Stats.MAXIMUM),
    above: 0,
    // What runs at the deadline is ended then, which takes seconds.
    times: 3,
    of: 3,
    says: 'An instance has had sessions for 3 minutes past the deadline of its drain.',
  },
  DeepgramRefusesUs: {
    metric: () => fleetMetric('DeepgramRefusedAuth', Stats.SUM),
    above: 0,
    // No further attempt changes it, for this call or any other.
    times: 1,
    of: 1,
    says: 'Deepgram has refused a stream for its key, its credit or its rights (401, 402, 403).',
  },
  DeepgramTooManyStreams: {
    metric: () => fleetMetric('DeepgramRefusedRate', Stats.SUM),
    above: 0,
    // One that is tried again and taken is what retries are for.
    times: 3,
    of: 5,
    says: 'Deepgram has refused streams as too many (429) in 3 of the last 5 minutes.',
  },
};

export interface AlarmsProps {
  readonly loadBalancer: LoadBalancer;
  readonly group: IAutoScalingGroup;
  /** Without one they are for whoever looks. */
  readonly topic: ITopic | undefined;
}

/** What an operator must be told: each alarm has its line of the runbook in README.md, by its name here. */
export class Alarms extends Construct {
  /** Those that tell somebody. */
  readonly all: readonly AlarmBase[];

  constructor(scope: Construct, id: string, { loadBalancer, group, topic }: AlarmsProps) {
    super(scope, id);
    const alarms = Object.entries(WATCHED).map(([name, watched]) => this.#watch(name, watched));
    const outages = new OutageAlarms(this, 'OutageAlarms', { loadBalancer, group });
    this.all = [...alarms, outages.noHealthyInstance, outages.noMetrics];
    if (topic === undefined) return;
    for (const alarm of this.all) {
      alarm.addAlarmAction(new SnsAction(topic));
      // Whoever was told that it began is told that it is over.
      alarm.addOkAction(new SnsAction(topic));
    }
  }

  #watch(name: string, { metric, above, times, of, says }: Watched): Alarm {
    return new Alarm(this, name, {
      metric: metric(),
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      datapointsToAlarm: times,
      evaluationPeriods: of,
      // Daemons send zeros: without data there is no daemon, and so no call that fares badly. An empty fleet is fine,
      // and that a wanted one is silent is what NoHealthyInstance and NoMetrics are for.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: withRunbook(name, says),
    });
  }
}
