import test from 'ava';
import { nextState, statesOf } from './alarm-evaluation.ts';
import { evaluate } from './metric-math.ts';

/**
 * The two tables in CloudWatch's User Guide, "How alarm state is evaluated when data is missing", for the treatments that
 * our alarms use: three periods, an evaluation range of five, and `=` for the previous state.
 */
const DOCUMENTED: readonly [times: number, range: string, ignore: string, breaching: string, notBreaching: string][] = [
  [3, '0-X-X', 'OK', 'OK', 'OK'],
  [3, '0----', 'OK', 'OK', 'OK'],
  [3, '-----', '=', 'ALARM', 'OK'],
  [3, '0XX-X', 'ALARM', 'ALARM', 'ALARM'],
  [3, '--X--', '=', 'ALARM', 'OK'],
  [2, '0-X-X', 'ALARM', 'ALARM', 'ALARM'],
  [2, '00X0X', 'ALARM', 'ALARM', 'ALARM'],
  [2, '0-X--', 'OK', 'ALARM', 'OK'],
  [2, '----0', 'OK', 'ALARM', 'OK'],
  [2, '---X-', '=', 'ALARM', 'OK'],
];

for (const [times, range, ignore, breaching, notBreaching] of DOCUMENTED) {
  test(`${range}, ${times} of 3, is evaluated as in AWS's documentation`, (t) => {
    const points = [...range].map((point) => (point === '-' ? undefined : point === 'X'));
    for (const [treatment, expected] of Object.entries({ ignore, breaching, notBreaching })) {
      for (const before of ['OK', 'ALARM'] as const) {
        const alarm = { EvaluationPeriods: 3, DatapointsToAlarm: times, TreatMissingData: treatment };
        t.is(nextState(alarm, points, before), expected === '=' ? before : (expected as 'OK'), treatment);
      }
    }
  });
}

test('a period longer than a minute is evaluated every minute', (t) => {
  const alarm = {
    Namespace: 'N',
    MetricName: 'M',
    Statistic: 'Sum',
    Period: 300,
    ComparisonOperator: 'GreaterThanThreshold',
    Threshold: 0,
    EvaluationPeriods: 1,
    TreatMissingData: 'notBreaching',
  };
  const states = statesOf(alarm, (name) => (name === 'N/M' ? [[150, 1]] : []), 9, 1);
  t.deepEqual(states, ['OK', 'OK', 'ALARM', 'ALARM', 'ALARM', 'ALARM', 'ALARM', 'OK', 'OK']);
});

test('metric math: precedence, IF, missing data, and a division by zero', (t) => {
  const a = new Map([
    [1, 2],
    [2, 4],
    [3, 0],
  ]);
  const b = new Map([
    [1, 3],
    [3, 0],
  ]);
  t.deepEqual(
    [...evaluate('1 + 2 * a', { a })],
    [
      [1, 5],
      [2, 9],
      [3, 1],
    ],
  );
  t.deepEqual(
    [...evaluate('a + b', { a, b })],
    [
      [1, 5],
      [2, 4],
      [3, 0],
    ],
  );
  t.deepEqual(
    [...evaluate('100 * a / (a + b)', { a, b })],
    [
      [1, 40],
      [2, 100],
    ],
  );
  t.deepEqual(
    [...evaluate('IF(a > 2, a, 0)', { a })],
    [
      [1, 0],
      [2, 4],
      [3, 0],
    ],
  );
});

for (const unknown of ['FILL(a, 0)', 'a + c', 'a $ 2', '(a', 'a a', '1 + 1']) {
  test(`unknown metric math is an error: ${unknown}`, (t) => {
    t.throws(() => evaluate(unknown, { a: new Map([[1, 1]]) }));
  });
}
