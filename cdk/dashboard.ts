import { Aws, Duration, Token } from 'aws-cdk-lib';
import type { IAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type HorizontalAnnotation,
  type IAlarm,
  type IMetric,
  Metric,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { CAPACITY_ALARM_PERCENT, STARTS_FAILED_ALARM_PERCENT } from './alarms.ts';
import {
  capacityUsed,
  fleetMetric,
  groupMetric,
  instanceMetrics,
  RESULTS_LATE,
  startsFailedPercent,
} from './fleet-metrics.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { concurrentCalls } from './trigger-alarms.ts';

/** Width of a dashboard in units. */
const WIDTH = 24;
const PER_ROW = 3;
const HEIGHT = 6;

interface DashboardProps {
  readonly alarms: readonly IAlarm[];
  readonly loadBalancer: LoadBalancer;
  readonly group: IAutoScalingGroup;
  readonly targetCapacityPercent: number;
  readonly trigger: IFunction;
  readonly connectInstanceArns: readonly string[];
}

/** The fleet on one page: whether calls are transcribed, how late, and what was lost. */
export class Dashboard extends Construct {
  /** URL for a browser. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { alarms, loadBalancer, group, targetCapacityPercent } = props;
    const sum = (name: string, label: string) => fleetMetric(name, Stats.SUM).with({ label });
    const most = (name: string, label: string) => fleetMetric(name, Stats.MAXIMUM).with({ label });
    const percentile = (name: string, percent: number) =>
      fleetMetric(name, Stats.percentile(percent)).with({ label: `p${percent}` });
    const ofGroup = (name: string, label: string) => groupMetric(group, name, Stats.MAXIMUM).with({ label });
    const dashboard = new CloudWatchDashboard(this, 'Dashboard', {
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: WIDTH, height: 3 })],
        [
          graph('Running calls by instance', [instanceMetrics('ActiveSessions', 'Maximum')], { stacked: true }),
          graph('Calls started and ended per minute', [
            sum('SessionsStarted', 'started'),
            sum('SessionsCompleted', 'completed'),
            sum('SessionsFailed', 'failed'),
          ]),
          graph('Failed starts', [sum('StartsFailed', 'failed per minute')], {
            right: [startsFailedPercent()],
            rightAnnotations: [line(STARTS_FAILED_ALARM_PERCENT, 'alarm')],
          }),
        ],
        [
          graph('Lag from Kinesis to Deepgram, ms', [
            percentile('LagMilliseconds', 50),
            percentile('LagMilliseconds', 99),
            most('LagMilliseconds', 'worst'),
          ]),
          graph('Gaps: missing audio, ms per minute', [sum('GapMilliseconds', 'missing')]),
          graph('Reconnects per minute', [
            sum('KinesisResumes', 'Kinesis, after an error'),
            sum('KinesisRotations', 'Kinesis, rotation'),
            sum('DeepgramReconnects', 'Deepgram'),
          ]),
        ],
        [
          graph('Deepgram refusals per minute', [
            sum('DeepgramRefusedAuth', '401, 402, 403'),
            sum('DeepgramRefusedRate', '429'),
          ]),
          graph(
            'Capacity in use, %',
            [capacityUsed().with({ label: 'average' }), most('CapacityUsed', 'fullest instance')],
            { leftAnnotations: [line(CAPACITY_ALARM_PERCENT, 'alarm'), line(targetCapacityPercent, 'scaling')] },
          ),
          graph('Drains', [sum('Draining', 'draining instances'), most('DrainOverdue', 'past their deadline')]),
        ],
        [
          graph('Results delivered per minute', [sum('ResultsDelivered', 'events')]),
          graph('Results that wait', [most('ResultsBacklogAgeSeconds', 'oldest, s')], {
            right: [sum('ResultsBacklog', 'events')],
            leftAnnotations: [line(RESULTS_LATE.toSeconds(), 'alarm')],
          }),
          graph(
            'Results given up per minute',
            [sum('ResultsDeadLetters', 'dead letters'), sum('ResultsLost', 'lost')],
            {
              right: [percentile('ResultsDeliveryMilliseconds', 99).with({ label: 'delivery p99, ms' })],
            },
          ),
        ],
        startsBesideCalls(props),
        [
          graph('Instances', [
            ofGroup('GroupDesiredCapacity', 'desired'),
            ofGroup('GroupInServiceInstances', 'in service'),
            loadBalancer.healthyInstances().with({ label: 'healthy' }),
          ]),
          graph('CPU, %', [cpuOf(group, Stats.AVERAGE, 'average'), cpuOf(group, Stats.MAXIMUM, 'busiest')]),
          graph('Event loop delay, ms', [
            percentile('EventLoopDelayMilliseconds', 99),
            most('EventLoopDelayMilliseconds', 'worst'),
          ]),
        ],
      ],
    });
    const console = `https://${Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region=${Aws.REGION}`;
    this.url = `${console}#dashboards/dashboard/${dashboard.dashboardName}`;
  }
}

/** For NoStarts: how many calls there are in Connect, and how many of them the flows have transcribed. */
function startsBesideCalls({ trigger, connectInstanceArns }: DashboardProps): GraphWidget[] {
  const calls = connectInstanceArns.map((arn) => concurrentCalls(arn, Stats.MAXIMUM).with({ label: labelOf(arn) }));
  return [
    ...(calls.length > 0 ? [graph('Calls in Connect, by instance', calls)] : []),
    graph('The trigger, per minute', [
      trigger.metricInvocations({ label: 'invoked', period: Duration.minutes(1) }),
      trigger.metricErrors({ label: 'crashed, or took more than 8 s', period: Duration.minutes(1) }),
      trigger.metricThrottles({ label: 'throttled', period: Duration.minutes(1) }),
    ]),
  ];
}

/** The end of the instance's id. */
function labelOf(connectInstanceArn: string): string {
  return Token.isUnresolved(connectInstanceArn) ? 'calls' : `…${connectInstanceArn.slice(-12)}`;
}

interface GraphOptions {
  readonly stacked?: boolean;
  readonly right?: IMetric[];
  readonly leftAnnotations?: HorizontalAnnotation[];
  readonly rightAnnotations?: HorizontalAnnotation[];
}

function graph(title: string, left: IMetric[], options: GraphOptions = {}): GraphWidget {
  const leftYAxis = { min: 0 };
  return new GraphWidget({ title, left, leftYAxis, width: WIDTH / PER_ROW, height: HEIGHT, ...options });
}

function line(value: number, label: string): HorizontalAnnotation {
  return { value, label };
}

function cpuOf(group: IAutoScalingGroup, statistic: string, label: string): IMetric {
  const dimensionsMap = { AutoScalingGroupName: group.autoScalingGroupName };
  return new Metric({ namespace: 'AWS/EC2', metricName: 'CPUUtilization', dimensionsMap, statistic, label });
}
