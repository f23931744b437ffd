import { evaluate, type Points } from './metric-math.ts';
import type { Datum } from './series.ts';

export type AlarmState = 'OK' | 'ALARM';

/** A metric in CloudFormation; in a query it has an id. */
interface MetricProperties {
  readonly Namespace: string;
  readonly MetricName: string;
}

/** The properties that our alarms have in the template. */
export interface AlarmProperties extends Partial<MetricProperties> {
  readonly Statistic?: string;
  /** A percentile. */
  readonly ExtendedStatistic?: string;
  readonly Period?: number;
  readonly Metrics?: readonly {
    readonly Id: string;
    readonly Expression?: string;
    readonly MetricStat?: { readonly Metric: MetricProperties; readonly Period: number; readonly Stat: string };
  }[];
  readonly ComparisonOperator: string;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly TreatMissingData?: string;
}

/** The data of a metric, by `Namespace/MetricName`; empty if it was not sent. */
export type MetricSource = (name: string) => readonly Datum[];

const MINUTE_S = 60;

const STATISTICS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
  Average: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  Maximum: (values) => Math.max(...values),
  Minimum: (values) => Math.min(...values),
  // The data here are single values per minute: a percentile is between them.
  p90: (values) => values.toSorted((one, other) => one - other)[Math.ceil(values.length * 0.9) - 1] ?? Number.NaN,
  SampleCount: (values) => values.length,
};

const COMPARISONS: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
};

/**
 * The state of a metric alarm at the end of each minute, as in CloudWatch's User Guide ("Alarm evaluation"): periods end
 * with the evaluated minute, and the evaluation range has more periods than the alarm needs, to make up for missing data.
 * AWS does not document how many, so tests try several values of `rangePeriods`.
 */
export function statesOf(
  alarm: AlarmProperties,
  source: MetricSource,
  minutes: number,
  rangePeriods: number,
): AlarmState[] {
  const states: AlarmState[] = [];
  for (let minute = 1; minute <= minutes; minute++) {
    const isBreaching = breachesIn(alarm, source, minute * MINUTE_S, rangePeriods);
    states.push(nextState(alarm, isBreaching, states.at(-1) ?? 'OK'));
  }
  return states;
}

/** For each period of the evaluation range, oldest first, whether it breaches; undefined without a data point. */
function breachesIn(
  alarm: AlarmProperties,
  source: MetricSource,
  endS: number,
  rangePeriods: number,
): (boolean | undefined)[] {
  const compare = known(COMPARISONS, alarm.ComparisonOperator);
  const { periodS, pointsAt } = metricOf(alarm, source);
  const ends = Array.from({ length: rangePeriods }, (_, back) => endS - (rangePeriods - 1 - back) * periodS);
  const points = pointsAt(ends);
  return ends.map((end) => {
    const value = points.get(end);
    return value === undefined ? undefined : compare(value, alarm.Threshold);
  });
}

function metricOf(alarm: AlarmProperties, source: MetricSource) {
  const { Namespace, MetricName, ExtendedStatistic = '', Statistic = ExtendedStatistic, Period, Metrics } = alarm;
  if (!Metrics) {
    const data = source(`${Namespace}/${MetricName}`);
    const periodS = Period ?? 0;
    return { periodS, pointsAt: (ends: readonly number[]) => pointsOf(data, Statistic, periodS, ends) };
  }
  const [query, ...otherQueries] = Metrics.filter(({ Expression }) => Expression !== undefined);
  const stats = Metrics.flatMap(({ Id, MetricStat }) => (MetricStat ? [{ Id, ...MetricStat }] : []));
  const [periodS, ...otherPeriods] = new Set(stats.map((stat) => stat.Period));
  if (!query?.Expression || otherQueries.length > 0) throw new Error('not one expression');
  if (periodS === undefined || otherPeriods.length > 0) throw new Error('not one period');
  const expression = query.Expression;
  const pointsAt = (ends: readonly number[]) => {
    const metrics = stats.map(({ Id, Metric, Stat }) => {
      const data = source(`${Metric.Namespace}/${Metric.MetricName}`);
      return [Id, pointsOf(data, Stat, periodS, ends)] as const;
    });
    return evaluate(expression, Object.fromEntries(metrics));
  };
  return { periodS, pointsAt };
}

/** The statistic of each period with data, by the second at which the period ends. */
function pointsOf(data: readonly Datum[], statistic: string, periodS: number, ends: readonly number[]): Points {
  const earlier = knownPoints(data, statistic, periodS);
  const points = new Map<number, number>();
  for (const end of ends) {
    if (!earlier.has(end)) earlier.set(end, pointOf(data, statistic, periodS, end));
    const point = earlier.get(end);
    if (point !== undefined) points.set(end, point);
  }
  return points;
}

/** Points so far, by series, and by statistic and period: a point is needed for every minute whose range it is in. */
const KNOWN_POINTS = new WeakMap<readonly Datum[], Map<string, Map<number, number | undefined>>>();

function knownPoints(data: readonly Datum[], statistic: string, periodS: number): Map<number, number | undefined> {
  const ofSeries = KNOWN_POINTS.get(data) ?? new Map<string, Map<number, number | undefined>>();
  KNOWN_POINTS.set(data, ofSeries);
  const key = `${statistic} of ${periodS} s`;
  const points = ofSeries.get(key) ?? new Map<number, number | undefined>();
  ofSeries.set(key, points);
  return points;
}

function pointOf(data: readonly Datum[], statistic: string, periodS: number, end: number): number | undefined {
  const values = data.filter(([atS]) => atS >= end - periodS && atS < end).map(([, value]) => value);
  return values.length === 0 ? undefined : known(STATISTICS, statistic)(values);
}

/**
 * The next state for the data in the evaluation range ("How alarm state is evaluated when data is missing"). With enough
 * data points, the newest ones decide; otherwise the alarm's treatment of missing data fills as few as necessary.
 */
export function nextState(
  alarm: Pick<AlarmProperties, 'EvaluationPeriods' | 'DatapointsToAlarm' | 'TreatMissingData'>,
  range: readonly (boolean | undefined)[],
  state: AlarmState,
): AlarmState {
  const { EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods, TreatMissingData } = alarm;
  const real = range.filter((isBreaching) => isBreaching !== undefined).slice(-EvaluationPeriods);
  const breaching = real.filter(Boolean).length;
  const missing = EvaluationPeriods - real.length;
  const byReal = breaching >= DatapointsToAlarm ? 'ALARM' : 'OK';
  if (missing === 0 || byReal === 'ALARM') return byReal;
  switch (TreatMissingData) {
    case 'notBreaching':
      return 'OK';
    case 'breaching':
      return breaching + missing >= DatapointsToAlarm ? 'ALARM' : 'OK';
    case 'ignore':
      return breaching < real.length ? 'OK' : state;
    default:
      throw new Error(`TreatMissingData is ${TreatMissingData}: not implemented, as no alarm uses it`);
  }
}

function known<Value>(table: Readonly<Record<string, Value>>, name: string): Value {
  const value = table[name];
  if (value === undefined) throw new Error(`${name} is not supported by this evaluator`);
  return value;
}
