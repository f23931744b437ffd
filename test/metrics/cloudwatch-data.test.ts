import { readFileSync } from 'node:fs';
import test from 'ava';
import { metricData } from '../../daemon/metrics/cloudwatch-data.ts';
import { InstanceMetrics, type InstanceSnapshot } from '../../daemon/metrics/instance-metrics.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';

const AT = new Date('2026-11-24T12:00:00Z');
const IDENTITY = { stack: 'calls', instance: 'i-0a1b2c3d4e5f60718' };
const NOTHING = InstanceMetrics.nothingYet();

function instance(sessions: SessionMetrics, known: Partial<InstanceSnapshot> = {}): InstanceSnapshot {
  return {
    ...sessions.snapshot(),
    instance: NOTHING.instance,
    activeSessions: 3,
    maxSessions: 12,
    isCordoned: false,
    drainState: 'none',
    drainSessionsLeft: 0,
    isDrainOverdue: false,
    ...known,
  };
}

/** The values under the stack alone, by name. */
function stackValues(now: InstanceSnapshot, since = NOTHING) {
  const data = metricData(now, since, IDENTITY, AT).filter(({ Dimensions }) => Dimensions?.length === 1);
  return Object.fromEntries(
    data.map(({ MetricName, Value, Values, Counts }) => [MetricName, Value ?? { Values, Counts }]),
  );
}

test('every metric is reported once for the stack and once for the instance', (t) => {
  const data = metricData(instance(new SessionMetrics()), NOTHING, IDENTITY, AT);
  const names = (dimensions: object) =>
    data
      .filter(({ Dimensions }) => JSON.stringify(Dimensions) === JSON.stringify(dimensions))
      .map(({ MetricName }) => MetricName);
  const stack = { Name: 'Stack', Value: 'calls' };
  t.deepEqual(names([stack]), names([stack, { Name: 'Instance', Value: IDENTITY.instance }]));
  t.is(new Set(names([stack])).size, data.length / 2);
});

test('counts cover the time since the last report, states are current', (t) => {
  const sessions = new SessionMetrics();
  sessions.gap('corrupt', 500);
  sessions.gap('missing', 20);
  sessions.audioReceived(0, 16_000);
  sessions.audioReceived(1, 16_000);
  sessions.audioOutBytes = 32_000;
  const first = instance(sessions);
  t.like(stackValues(first), {
    CapacityUsed: 25,
    ActiveSessions: 3,
    GapMilliseconds: 520,
    AudioSecondsIn: 2,
    AudioSecondsOut: 2,
  });
  sessions.gap('corrupt', 7);
  const draining = { drainState: 'draining', isDrainOverdue: true } as const;
  t.like(stackValues(instance(sessions, draining), first), {
    GapMilliseconds: 7,
    AudioSecondsIn: 0,
    Draining: 1,
    DrainOverdue: 1,
  });
});

for (const [state, changes] of [
  ['draining', { drainState: 'draining' }],
  ['cordoned', { isCordoned: true }],
] as const) {
  test(`a ${state} instance does not count in the capacity that the group scales on`, (t) => {
    const data = metricData(instance(new SessionMetrics(), changes), NOTHING, IDENTITY, AT);
    const capacity = data.filter(({ MetricName }) => MetricName === 'CapacityUsed');
    t.deepEqual(
      capacity.map(({ Dimensions }) => Dimensions?.length),
      [2],
    );
  });
}

test('the lag is reported as mean and count of each bucket, so that average and percentiles work', (t) => {
  const sessions = new SessionMetrics();
  for (const lagMs of [4, 6, 180, 30_000]) sessions.lagMs.observe(lagMs);
  t.deepEqual(stackValues(instance(sessions))['LagMilliseconds'], { Values: [5, 180, 30_000], Counts: [2, 1, 1] });
});

test('a minute without audio reports no lag: CloudWatch rejects empty lists', (t) => {
  t.false('LagMilliseconds' in stackValues(instance(new SessionMetrics())));
});

test('README.md lists the metrics that CloudWatch gets', (t) => {
  const sessions = new SessionMetrics();
  sessions.lagMs.observe(1);
  sessions.results.delivered('webhook', { type: 'transcript', isHint: false, tookMs: 40, endToEndMs: 900 });
  sessions.eventLoopDelayMs.observe(1);
  const readme = readFileSync(new URL('../../daemon/metrics/README.md', import.meta.url), 'utf8');
  const rows = readme
    .slice(readme.indexOf('## CloudWatch'))
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
  t.deepEqual(named.sort(), Object.keys(stackValues(instance(sessions))).sort());
});
