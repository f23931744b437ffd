import { Aws, Duration, Fn } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  type CompositeAlarm,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '../daemon/contract/metrics-namespace.ts';
import { compositeAlarm } from './composite-alarm.ts';
import { withRunbook } from './runbook.ts';

const A_MINUTE = Duration.minutes(1);
/** Long enough for a ratio at night, when calls are rare. */
const FAILED_WINDOW = Duration.minutes(15);
const FAILED_PERCENT = 1;
/**
 * The trigger gives up after 6.5 s, and the daemon 0.3 s before (trigger/retry-policy.ts): above 6 s a start timed out, or
 * nearly did. test/cdk/stack/alarms.ts compares the two.
 */
const SLOW_MS = 6000;
const IDLE_MINUTES = 15;
/** At this rate a pause of 15 minutes happens by chance in one of 150 quarter hours (e^-5). */
const IN_USE_PER_HOUR = 20;
/** The longest evaluation range of an alarm with periods of an hour (PutMetricAlarm); it covers a weekend. */
const IN_USE_HOURS = 7 * 24;

export interface TriggerAlarmsProps {
  readonly trigger: LambdaFunction;
  readonly logGroup: ILogGroup;
  readonly connectInstanceArns: readonly string[];
  /** Concurrent calls of a Connect instance that make NoStarts expect starts; 0 means no such alarm. */
  readonly noStartsCalls: number;
}

/** Alarms for a trigger that fails before a start reaches a daemon: the daemons cannot see these failures. */
export class TriggerAlarms extends Construct {
  /** The alarms that notify. */
  readonly all: readonly (Alarm | CompositeAlarm)[];
  readonly #trigger: LambdaFunction;

  constructor(scope: Construct, id: string, props: TriggerAlarmsProps) {
    super(scope, id);
    const { trigger, logGroup, noStartsCalls } = props;
    this.#trigger = trigger;
    const failing = this.#alarm(
      'TriggerFailing',
      this.#failedPercent(logGroup),
      { above: FAILED_PERCENT, times: 1, of: 1 },
      'More than 1 % of the calls in the last 15 minutes, and at least 3, were not started by the trigger.',
    );
    const broken = this.#alarm(
      'TriggerBroken',
      trigger.metricErrors({ period: A_MINUTE, statistic: Stats.SUM }),
      // It catches every error by itself, so this is a crash, a time-out, or a function that does not load.
      { above: 0, times: 1, of: 1 },
      'The trigger crashed, or took more than 8 s.',
    );
    const throttled = this.#alarm(
      'TriggerThrottled',
      trigger.metricThrottles({ period: A_MINUTE, statistic: Stats.SUM }),
      { above: 0, times: 1, of: 1 },
      'Lambda refused to run the trigger: the account or the function has too many invocations at once.',
    );
    const slow = this.#alarm(
      'TriggerSlow',
      trigger.metricDuration({ period: A_MINUTE, statistic: Stats.MAXIMUM }),
      // One slow start is no trend.
      { above: SLOW_MS, times: 3, of: 5 },
      'Starts took more than 6 s in 3 of the last 5 minutes; the trigger gives up after 6.5 s.',
    );
    this.all = [failing, broken, throttled, slow, ...(noStartsCalls > 0 ? this.#notInvoked(scope, props) : [])];
  }

  /** Failed calls in percent of all invocations; up to two failures are ignored, as one flow may try again. */
  #failedPercent(logGroup: ILogGroup): IMetric {
    const filter = new MetricFilter(this, 'Failed', {
      logGroup,
      filterPattern: FilterPattern.stringValue('$.event', '=', 'trigger.failed'),
      metricNamespace: `${METRICS_NAMESPACE}/${Aws.STACK_NAME}`,
      metricName: 'TriggerFailed',
      metricValue: '1',
      defaultValue: 0,
    });
    return new MathExpression({
      expression: 'IF(failed > 2, 100 * failed / invoked, 0)',
      usingMetrics: {
        failed: filter.metric({ period: FAILED_WINDOW, statistic: Stats.SUM }),
        invoked: this.#trigger.metricInvocations({ period: FAILED_WINDOW, statistic: Stats.SUM }),
      },
      label: 'calls that the trigger did not start, %',
      period: FAILED_WINDOW,
    });
  }

  #alarm(
    name: string,
    metric: IMetric,
    { above, times, of }: { above: number; times: number; of: number },
    description: string,
  ): Alarm {
    return new Alarm(this, name, {
      metric,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      datapointsToAlarm: times,
      evaluationPeriods: of,
      // No invocation, no data.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: withRunbook(name, description),
    });
  }

  /**
   * Calls run, and flows did invoke the trigger, but none does any more. Connect reports how many calls an instance has, not
   * which flows they are in, so a trigger that was rarely invoked in the last week proves nothing.
   */
  #notInvoked(scope: Construct, { connectInstanceArns, noStartsCalls }: TriggerAlarmsProps): CompositeAlarm[] {
    const busy = connectInstanceArns.map((arn, at) => {
      return new Alarm(this, at === 0 ? 'Busy' : `Busy${at + 1}`, {
        metric: concurrentCalls(arn, Stats.MINIMUM),
        threshold: noStartsCalls,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: IDLE_MINUTES,
        treatMissingData: TreatMissingData.NOT_BREACHING,
        alarmDescription: `Not a problem by itself: ${noStartsCalls} or more calls at once for ${IDLE_MINUTES} minutes.`,
      });
    });
    if (busy.length === 0) return [];
    const idle = new Alarm(this, 'NotInvoked', {
      metric: this.#trigger.metricInvocations({ period: A_MINUTE, statistic: Stats.SUM }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: IDLE_MINUTES,
      // Lambda reports no zeros.
      treatMissingData: TreatMissingData.BREACHING,
      alarmDescription: `A problem only while there are calls: nothing invoked the trigger for ${IDLE_MINUTES} minutes.`,
    });
    const inUse = new Alarm(this, 'InUse', {
      metric: this.#trigger.metricInvocations({ period: Duration.hours(1), statistic: Stats.SUM }),
      threshold: IN_USE_PER_HOUR,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      datapointsToAlarm: 1,
      evaluationPeriods: IN_USE_HOURS,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `Not a problem by itself: ${IN_USE_PER_HOUR} or more calls invoked the trigger in an hour of the last week.`,
    });
    const inAlarm = busy.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM));
    const [first] = inAlarm;
    const isBusy = first !== undefined && inAlarm.length === 1 ? first : AlarmRule.anyOf(...inAlarm);
    const others = [idle, inUse].map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM));
    const rule = AlarmRule.allOf(isBusy, ...others);
    const what = `Connect has had ${noStartsCalls} or more calls at once for ${IDLE_MINUTES} minutes, and none invoked the trigger any more.`;
    return [compositeAlarm(scope, 'NoStarts', rule, what)];
  }
}

/** The voice calls of a Connect instance, as Connect reports them every minute. */
export function concurrentCalls(connectInstanceArn: string, statistic: string): Metric {
  const InstanceId = Fn.select(1, Fn.split('/', connectInstanceArn));
  return new Metric({
    namespace: 'AWS/Connect',
    metricName: 'ConcurrentCalls',
    dimensionsMap: { InstanceId, MetricGroup: 'VoiceCalls' },
    statistic,
    period: A_MINUTE,
  });
}
