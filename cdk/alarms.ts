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
import { capacityUsed, fleetMetric, resultsNotDelivered, startsFailedPercent } from './fleet-metrics.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { OutageAlarms } from './outage-alarms.ts';
import { withRunbook } from './runbook.ts';
import { TriggerAlarms, type TriggerAlarmsProps } from './trigger-alarms.ts';

/** Above scaling's own target (settings.ts): scaling has not kept up, or may not grow further. */
export const CAPACITY_ALARM_PERCENT = 85;
export const STARTS_FAILED_ALARM_PERCENT = 1;
/** Above what fragments cost that are forwarded when they are complete, and reads that gather: about 1.3 s. */
const LAG_ALARM_MS = 3000;
/** Twice what a busy thread shows; reads are up to 270 ms apart, so lag has doubled or more. */
const EVENT_LOOP_ALARM_MS = 500;

/** An alarm that fires if the metric is above the threshold in several of the last minutes. */
interface AlarmSpec {
  readonly metric: () => IMetric;
  readonly above: number;
  /** Breaching evaluations, of the last `of` ones, which are a minute apart. */
  readonly times: number;
  readonly of: number;
  readonly description: string;
}

/** Each has a runbook in README.md, under its name. */
const ALARMS: Readonly<Record<string, AlarmSpec>> = {
  Gaps: {
    metric: () => fleetMetric('GapMilliseconds', Stats.SUM),
    above: 0,
    // A call that loses one fragment shows in the log and on the dashboard; a lasting loss affects more than one call.
    times: 5,
    of: 5,
    description: 'Audio of calls was missing in each of the last 5 minutes.',
  },
  CallsLate: {
    metric: () => fleetMetric('LagMilliseconds', Stats.percentile(90)),
    above: LAG_ALARM_MS,
    // A freeze or a reconnect is made good within a minute.
    times: 5,
    of: 5,
    description: 'A tenth of the audio reached Deepgram more than 3 s late in each of the last 5 minutes.',
  },
  EventLoopBlocked: {
    metric: () => fleetMetric('EventLoopDelayMilliseconds', Stats.percentile(90)),
    above: EVENT_LOOP_ALARM_MS,
    // A burst of starts, or a garbage collection, delays a thread for a moment.
    times: 5,
    of: 5,
    description: "A daemon's threads were late by more than 500 ms in a tenth of the seconds of the last 5 minutes.",
  },
  StartsFailing: {
    metric: startsFailedPercent,
    above: STARTS_FAILED_ALARM_PERCENT,
    // The metric covers 15 minutes itself; a fleet that starts nothing is noticed within a minute.
    times: 1,
    of: 1,
    description: 'More than 1 % of the starts in the last 15 minutes failed, and at least 3.',
  },
  CapacityShort: {
    metric: capacityUsed,
    above: CAPACITY_ALARM_PERCENT,
    // Scaling handles a burst: it adds an instance within three minutes.
    times: 5,
    of: 5,
    description: 'More than 85 % of the capacity was in use for 5 minutes, and scaling did not help.',
  },
  DrainOverdue: {
    metric: () => fleetMetric('DrainOverdue', Stats.MAXIMUM),
    above: 0,
    // At the deadline the daemon ends the remaining sessions, which takes seconds.
    times: 3,
    of: 3,
    description: 'An instance still has sessions 3 minutes after the deadline of its drain.',
  },
  DeepgramRefusesUs: {
    metric: () => fleetMetric('DeepgramRefusedAuth', Stats.SUM),
    above: 0,
    // Retries cannot help, neither this call nor any other.
    times: 1,
    of: 1,
    description: 'Deepgram refused a stream because of the key, its credit or its permissions (401, 402, 403).',
  },
  DeepgramTooManyStreams: {
    metric: () => fleetMetric('DeepgramRefusedRate', Stats.SUM),
    above: 0,
    // A retry that succeeds is normal operation.
    times: 3,
    of: 5,
    description: 'Deepgram refused streams as too many (429) in 3 of the last 5 minutes.',
  },
  CallsWithoutResults: {
    metric: () => fleetMetric('DeepgramWithoutResults', Stats.SUM),
    above: 0,
    // One call may be silent from end to end; several are not.
    times: 2,
    of: 15,
    description: 'Deepgram returned no results for calls in 2 of the last 15 minutes.',
  },
  ResultsNotDelivered: {
    metric: resultsNotDelivered,
    above: 0,
    // The metric itself waits, and a dead letter has been tried for an hour.
    times: 1,
    of: 1,
    description: 'Results of calls have waited for more than 5 minutes, or were given up.',
  },
};

/** A new image or setting that harms calls shows in these within minutes. */
const OF_ROLL_OUT = ['Gaps', 'StartsFailing', 'CallsWithoutResults'];

interface AlarmsProps extends TriggerAlarmsProps {
  readonly loadBalancer: LoadBalancer;
  readonly group: IAutoScalingGroup;
  /** Without one, alarms show only on the dashboard. */
  readonly topic: ITopic | undefined;
}

/** What operators must know; each alarm has a runbook in README.md, under its name. */
export class Alarms extends Construct {
  /** The alarms that notify. */
  readonly all: readonly AlarmBase[];
  /** Those that a roll-out must not set off: about the daemons' own metrics, so that the group can depend on them. */
  readonly ofRollOut: readonly Alarm[];

  constructor(scope: Construct, id: string, { loadBalancer, group, topic, ...trigger }: AlarmsProps) {
    super(scope, id);
    const byName = new Map(Object.entries(ALARMS).map(([name, spec]) => [name, this.#alarm(name, spec)]));
    const alarms = [...byName.values()];
    this.ofRollOut = OF_ROLL_OUT.flatMap((name) => byName.get(name) ?? []);
    const outages = new OutageAlarms(this, 'OutageAlarms', { loadBalancer, group });
    const ofTrigger = new TriggerAlarms(this, 'TriggerAlarms', trigger);
    this.all = [...alarms, outages.unhealthyInstance, outages.noHealthyInstance, outages.noMetrics, ...ofTrigger.all];
    if (topic === undefined) return;
    for (const alarm of this.all) {
      alarm.addAlarmAction(new SnsAction(topic));
      // Also reports the end of the alarm.
      alarm.addOkAction(new SnsAction(topic));
    }
  }

  #alarm(name: string, { metric, above, times, of, description }: AlarmSpec): Alarm {
    return new Alarm(this, name, {
      metric: metric(),
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      datapointsToAlarm: times,
      evaluationPeriods: of,
      // Daemons send zeros, so missing data means that there is no daemon, and no call in trouble. That is fine in an
      // empty fleet; NoHealthyInstance and NoMetrics cover a fleet that should have instances.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: withRunbook(name, description),
    });
  }
}
