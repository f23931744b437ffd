import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { RETRY_POLICY } from '../../../trigger/retry-policy.ts';
import { type AlarmProperties, type AlarmState, type MetricSource, statesOf } from '../alarm-evaluation.ts';
import { minutely, recordedSeries, type Series } from '../series.ts';
import { synthesized } from '../synthesized.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../../cdk/README.md'), 'utf8');
const METRICS_GUIDE = readFileSync(join(import.meta.dirname, '../../../daemon/metrics/README.md'), 'utf8');
const template = synthesized({ alarmEmail: 'on-call@example.org' });

type Described = { AlarmDescription: string; AlarmActions?: unknown[]; OKActions?: unknown[] };
type MetricAlarm = AlarmProperties & Described;
type CompositeAlarm = Described & { AlarmRule: { 'Fn::Join': [string, (string | { 'Fn::GetAtt': string[] })[]] } };

const METRIC_ALARMS = propertiesByName<MetricAlarm>('AWS::CloudWatch::Alarm');
const COMPOSITE_ALARMS = propertiesByName<CompositeAlarm>('AWS::CloudWatch::CompositeAlarm');

/** By the construct's name, which is part of the logical id: AlarmsGaps0123ABCD. */
function propertiesByName<Properties>(type: string): Record<string, Properties> {
  // Not those that scale.
  const resources = Object.entries(template.findResources(type)).filter(([id]) => id.startsWith('Alarms'));
  return Object.fromEntries(resources.map(([id, resource]) => [nameIn(id), withStackName(resource['Properties'])]));
}

/** The properties with the stack's name in a namespace. */
function withStackName<Properties>(properties: Properties): Properties {
  const named = JSON.stringify(properties).replaceAll(
    '{"Fn::Join":["",["Integratord/",{"Ref":"AWS::StackName"}]]}',
    '"Integratord/STACK"',
  );
  return JSON.parse(named) as Properties;
}

function nameIn(logicalId: string): string {
  return logicalId.replace(/^Alarms(OutageAlarms|TriggerAlarms)?|[0-9A-F]{8}$/g, '');
}

/** The metric alarms that must all be in ALARM. Throws on a rule of another form. */
function allOf({ AlarmRule }: CompositeAlarm): string[] {
  const text = AlarmRule['Fn::Join'][1]
    .map((part) => (typeof part === 'string' ? part : nameIn(part['Fn::GetAtt'][0] ?? '')))
    .join('');
  if (!/^\(ALARM\("\w+"\)( AND ALARM\("\w+"\))*\)$/.test(text)) throw new Error(`unknown rule: ${text}`);
  return [...text.matchAll(/ALARM\("(\w+)"\)/g)].map(([, name = '']) => name);
}

/** AWS does not document how far an alarm looks back for missing data; the outcome must be the same for any range. */
const RANGES: Readonly<Record<string, (periods: number) => number>> = {
  'no further than necessary': (periods) => periods,
  'two periods further, as in AWS’ example': (periods) => periods + 2,
  'twice as far': (periods) => periods * 2,
};

/** The notifying alarms that were in ALARM, each with the first minute in which it was. */
function firedOn(source: MetricSource, minutes: number, range: (periods: number) => number): Record<string, number> {
  const states = new Map<string, AlarmState[]>();
  for (const [name, alarm] of Object.entries(METRIC_ALARMS)) {
    states.set(name, statesOf(alarm, source, minutes, range(alarm.EvaluationPeriods)));
  }
  for (const [name, alarm] of Object.entries(COMPOSITE_ALARMS)) {
    const parts = allOf(alarm).map((part) => states.get(part) ?? []);
    const at = (minute: number) => (parts.every((part) => part[minute] === 'ALARM') ? 'ALARM' : 'OK');
    states.set(
      name,
      Array.from({ length: minutes }, (_, minute) => at(minute)),
    );
  }
  const notifying = [...states].filter(([name]) => NOTIFYING.includes(name));
  const since = notifying.map(([name, each]) => [name, each.indexOf('ALARM') + 1] as const);
  return Object.fromEntries(since.filter(([, minute]) => minute > 0));
}

const NOTIFYING = Object.entries({ ...METRIC_ALARMS, ...COMPOSITE_ALARMS }).flatMap(([name, { AlarmActions }]) =>
  AlarmActions ? [name] : [],
);

/** AWS's own metrics of a fleet at its desired capacity, and healthy, and of a trigger that is invoked and works. */
const UP = { wanted: 2, healthy: 2, ill: 0, calls: 20, invoked: 6, failed: 0, errors: 0, throttles: 0, tookMs: 800 };
/** How long the trigger takes if the daemon gives up on a start, and if all instances stay full. */
const TIMED_OUT_MS = RETRY_POLICY.budgetMs - RETRY_POLICY.responseMarginMs;
const FULL_MS = RETRY_POLICY.budgetMs - RETRY_POLICY.minAttemptMs;
type Fleet = Record<keyof typeof UP, number | undefined | ((minute: number) => number | undefined)>;

/** CloudWatch's metrics of a stack, from its daemons and from AWS. */
function sourceOf({ metrics, minutes }: Series, fleet: Partial<Fleet> = {}): MetricSource {
  const { wanted, healthy, ill, calls, invoked, failed, errors, throttles, tookMs } = { ...UP, ...fleet };
  const each = (value: Fleet['wanted']) =>
    minutely(Array.from({ length: minutes }, (_, minute) => (typeof value === 'function' ? value(minute) : value)));
  const all = {
    ...Object.fromEntries(Object.entries(metrics).map(([name, data]) => [`Integratord/${name}`, data])),
    'AWS/AutoScaling/GroupDesiredCapacity': each(wanted),
    'AWS/ApplicationELB/HealthyHostCount': each(healthy),
    'AWS/ApplicationELB/UnHealthyHostCount': each(ill),
    'AWS/Connect/ConcurrentCalls': each(calls),
    'AWS/Lambda/Invocations': each(invoked),
    'AWS/Lambda/Errors': each(errors),
    'AWS/Lambda/Throttles': each(throttles),
    'AWS/Lambda/Duration': each(tookMs),
    'Integratord/STACK/TriggerFailed': each(failed),
  };
  return (name) => all[name as keyof typeof all] ?? [];
}

/** Each recorded series, and all alarms that must fire, with the minute by which they must. */
const RECORDED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'calls-that-go-well': {},
  'a-night-without-calls': {},
  'a-deployment': {},
  'a-drain-that-ends-with-its-last-call': {},
  'a-drain-that-its-deadline-ends': {},
  'a-gap-in-one-call': {},
  'one-bad-start': {},
  'one-429-that-passes': {},
  'gaps-in-every-call': { Gaps: 7 },
  'one-start-in-five-is-bad': { StartsFailing: 4 },
  'deepgram-refuses-the-key': { DeepgramRefusesUs: 2, StartsFailing: 2 },
  'deepgram-has-no-credit': { DeepgramRefusesUs: 5, StartsFailing: 5 },
  'too-many-streams-for-deepgram': { DeepgramTooManyStreams: 5, StartsFailing: 4 },
  'a-full-instance': { CapacityShort: 6 },
};

for (const [name, expected] of Object.entries(RECORDED)) {
  const fires = Object.keys(expected).sort();
  const outcome = fires.length === 0 ? 'no alarm fires' : `only ${fires.join(', ')} fires`;
  for (const [reach, range] of Object.entries(RANGES)) {
    test(`${name.replaceAll('-', ' ')}: ${outcome}, if an alarm looks back ${reach}`, (t) => {
      const recorded = recordedSeries(name);
      const fired = firedOn(sourceOf(recorded), recorded.minutes, range);
      t.deepEqual(Object.keys(fired).sort(), fires);
      for (const [alarm, byMinute] of Object.entries(expected)) t.true((fired[alarm] ?? Infinity) <= byMinute, alarm);
    });
  }
}

/** Daemons that do nothing for an hour, some metrics apart. */
function idle(metrics: Record<string, (minute: number) => number | undefined> = {}): Series {
  const minutes = 60;
  const quiet = Object.keys(recordedSeries('a-night-without-calls').metrics).map((name) => [name, () => 0] as const);
  const all = Object.entries({ ...Object.fromEntries(quiet), ...metrics });
  const valuesOf = (at: (minute: number) => number | undefined) => Array.from({ length: minutes }, (_, n) => at(n));
  return { minutes, metrics: Object.fromEntries(all.map(([name, at]) => [name, minutely(valuesOf(at))])) };
}

const SILENT = { minutes: 60, metrics: {} };
const from =
  <Then>(start: number, then: Then, before: Then) =>
  (minute: number) =>
    minute >= start ? then : before;

/** What every daemon sends, in the minutes when there is one. */
function present(isThere: (minute: number) => boolean): Record<string, (minute: number) => number | undefined> {
  const zero = (minute: number) => (isThere(minute) ? 0 : undefined);
  return { ActiveSessions: zero, CapacityUsed: zero };
}
const without = (start: number) => present((minute) => minute < start);

/** Handwritten series, for what no simulator does, each with all alarms that must fire. */
const BY_HAND: Readonly<Record<string, [source: MetricSource, fires: string[], minutes?: number]>> = {
  'no instances, and none desired': [sourceOf(SILENT, { wanted: 0, healthy: undefined }), []],
  'a fleet that is scaled to zero on purpose': [
    sourceOf(idle(without(20)), {
      wanted: from(20, 0, 2),
      healthy: from<number | undefined>(20, undefined, 2),
    }),
    [],
  ],
  'a fleet that starts from zero within ten minutes': [
    sourceOf(idle(present((minute) => minute >= 30)), {
      wanted: from(20, 2, 0),
      healthy: from<number | undefined>(30, 2, undefined),
    }),
    [],
  ],
  'instances that never start': [
    sourceOf(SILENT, { wanted: from(10, 2, 0), healthy: undefined }),
    ['NoHealthyInstance', 'NoMetrics'],
  ],
  'all instances gone at once': [
    sourceOf(idle(without(30)), {
      healthy: from<number | undefined>(30, undefined, 2),
    }),
    ['NoHealthyInstance', 'NoMetrics'],
  ],
  'instances that fail the health check but send metrics': [
    sourceOf(idle(), { healthy: from(30, 0, 2) }),
    ['NoHealthyInstance'],
  ],
  'one of two daemons that exits with 78, exits with 0, or is stopped': [
    sourceOf(idle(), { healthy: from(30, 1, 2), ill: from(30, 1, 0) }),
    ['UnhealthyInstance'],
    35,
  ],
  'one of two daemons in a crash loop, whose health comes and goes': [
    sourceOf(idle(), { healthy: from(30, 2, 2), ill: from(30, 1, 0) }),
    ['UnhealthyInstance'],
    35,
  ],
  'a restart, and an upgrade': [sourceOf(idle(), { ill: (minute) => Number(minute >= 30 && minute < 33) }), []],
  'instances that are unhealthy for two minutes': [
    sourceOf(idle(), { healthy: (minute) => (minute === 30 || minute === 31 ? 0 : 2) }),
    [],
  ],
  'a deployment that doubles the fleet, then halves it': [
    sourceOf(idle(), { healthy: (minute) => (minute > 20 && minute < 40 ? 4 : 2) }),
    [],
  ],
  'Auto Scaling reports no desired capacity for a while': [
    sourceOf(idle(), { wanted: (minute) => (minute > 20 && minute < 40 ? undefined : 2) }),
    [],
  ],
  'no instance, and no desired capacity reported': [
    sourceOf(idle(without(40)), {
      wanted: from<number | undefined>(30, undefined, 2),
      healthy: from<number | undefined>(40, undefined, 2),
    }),
    ['NoHealthyInstance', 'NoMetrics'],
  ],
  'daemons that cannot reach CloudWatch': [sourceOf(SILENT, {}), ['NoMetrics']],
  'instances that are all cordoned, whose capacity does not count': [
    sourceOf(idle({ CapacityUsed: () => undefined }), { healthy: from(30, 0, 2) }),
    ['NoHealthyInstance'],
  ],
  'an occasional minute without metrics': [sourceOf(idle(present((minute) => minute % 7 !== 0))), []],
  'a drain that continues past its deadline': [
    sourceOf(idle({ Draining: from(10, 1, 0), DrainOverdue: from(30, 1, 0) })),
    ['DrainOverdue'],
  ],
  'a drain that is sampled while its deadline ends it': [
    sourceOf(idle({ DrainOverdue: (minute) => Number(minute === 30) })),
    [],
  ],
  'capacity at 85 %, and no more': [sourceOf(idle({ CapacityUsed: () => 85 })), []],
  'a burst that scaling handles': [
    sourceOf(idle({ CapacityUsed: (minute) => (minute > 20 && minute < 25 ? 95 : 60) })),
    [],
  ],
  'one start in a hundred': [sourceOf(idle({ SessionsStarted: () => 990, StartsFailed: () => 10 })), []],
  'a little more than one start in a hundred': [
    sourceOf(idle({ SessionsStarted: () => 989, StartsFailed: () => 11 })),
    ['StartsFailing'],
  ],
  'a call at night that starts at the third attempt': [
    sourceOf(
      idle({ SessionsStarted: (minute) => Number(minute === 30), StartsFailed: (minute) => (minute === 30 ? 2 : 0) }),
    ),
    [],
  ],
  'calls at night, of which each fails at once': [
    sourceOf(idle({ StartsFailed: (minute) => Number(minute % 5 === 0) })),
    ['StartsFailing'],
  ],
  'starts that all fail from one minute on, in a busy fleet': [
    sourceOf(idle({ SessionsStarted: from(30, 0, 200), StartsFailed: from(30, 200, 0) }), {}),
    ['StartsFailing'],
    // One minute after it began.
    31,
  ],
  'gaps in four minutes of every five': [
    sourceOf(idle({ GapMilliseconds: (minute) => (minute % 5 === 0 ? 0 : 64) })),
    [],
  ],
  '429 in every other minute': [
    sourceOf(idle({ DeepgramRefusedRate: (minute) => minute % 2 })),
    ['DeepgramTooManyStreams'],
  ],
  'calls that are 1.2 s late, because fragments are complete first': [
    sourceOf(idle({ LagMilliseconds: () => 1200, EventLoopDelayMilliseconds: () => 30 })),
    [],
  ],
  'four minutes of lag after an outage of Deepgram': [
    sourceOf(idle({ LagMilliseconds: (minute) => (minute >= 20 && minute < 24 ? 40_000 : 110) })),
    [],
  ],
  'lag that lasts': [sourceOf(idle({ LagMilliseconds: from(20, 3100, 110) })), ['CallsLate'], 26],
  'threads without enough CPU': [
    sourceOf(idle({ LagMilliseconds: from(20, 1900, 110), EventLoopDelayMilliseconds: from(20, 900, 20) })),
    ['EventLoopBlocked'],
    26,
  ],
  'a process that is frozen for most of the time': [
    sourceOf(idle({ LagMilliseconds: from(20, 8000, 110), EventLoopDelayMilliseconds: from(20, 9000, 20) })),
    ['CallsLate', 'EventLoopBlocked'],
    26,
  ],
  'a night without calls, and therefore without lag': [
    sourceOf(idle({ LagMilliseconds: from<number | undefined>(20, undefined, 110) })),
    [],
  ],
  'a consumer that is away for five minutes': [
    sourceOf(idle({ ResultsBacklogAgeSeconds: (minute) => (minute >= 20 && minute < 26 ? (minute - 20) * 60 : 0) })),
    [],
  ],
  'a consumer that is away for longer': [
    sourceOf(idle({ ResultsBacklogAgeSeconds: (minute) => (minute >= 20 && minute < 30 ? (minute - 20) * 60 : 0) })),
    ['ResultsNotDelivered'],
    // A minute after the oldest results have waited for five.
    27,
  ],
  'results that were given up': [
    sourceOf(idle({ ResultsDeadLetters: (minute) => Number(minute === 20) })),
    ['ResultsNotDelivered'],
    21,
  ],
  'results that are lost': [
    sourceOf(idle({ ResultsLost: (minute) => Number(minute === 20) })),
    ['ResultsNotDelivered'],
    21,
  ],
  'a trigger without a way to its secret, which fails every call': [
    sourceOf(idle(), { failed: from(30, 6, 0) }),
    ['TriggerFailing'],
    31,
  ],
  'two calls that fail at night, of one flow that tries twice': [
    sourceOf(idle(), {
      invoked: (minute) => (minute === 30 ? 2 : undefined),
      failed: (minute) => (minute === 30 ? 2 : 0),
      calls: 0,
    }),
    [],
  ],
  'one call in a hundred that the trigger does not start': [sourceOf(idle(), { invoked: 400, failed: 4 }), []],
  'a trigger that crashes once': [
    sourceOf(idle(), { errors: (minute) => Number(minute === 30) }),
    ['TriggerBroken'],
    32,
  ],
  'a trigger that is throttled once': [
    sourceOf(idle(), { throttles: (minute) => Number(minute === 30) }),
    ['TriggerThrottled'],
    32,
  ],
  'one start that times out': [sourceOf(idle(), { tookMs: (minute) => (minute === 30 ? TIMED_OUT_MS : 900) }), []],
  'starts that time out from one minute on': [
    sourceOf(idle(), { tookMs: from(30, TIMED_OUT_MS, 900) }),
    ['TriggerSlow'],
    33,
  ],
  'starts that find the fleet full until the trigger gives up': [
    sourceOf(idle(), { tookMs: from(30, FULL_MS, 900) }),
    [],
  ],
  'a flow that lost its trigger': [
    sourceOf(idle(), { invoked: from<number | undefined>(20, undefined, 6) }),
    ['NoStarts'],
  ],
  'calls whose flows never had the trigger': [sourceOf(idle(), { invoked: undefined }), []],
  'many calls, of which few are in flows with the trigger': [
    sourceOf(idle(), { calls: 200, invoked: (minute) => (minute % 4 === 0 && minute < 40 ? 1 : undefined) }),
    [],
  ],
  'a few long calls at night': [sourceOf(idle(), { calls: 3, invoked: undefined }), []],
  'no calls, and no invocations': [sourceOf(idle(), { calls: undefined, invoked: undefined }), []],
  'a lull between calls': [sourceOf(idle(), { invoked: (minute) => (minute % 10 === 0 ? 1 : undefined) }), []],
  'one call without results': [sourceOf(idle({ DeepgramWithoutResults: (minute) => Number(minute === 20) })), []],
  'calls without results': [
    sourceOf(idle({ DeepgramWithoutResults: (minute) => Number(minute % 7 === 0) })),
    ['CallsWithoutResults'],
  ],
};

for (const [name, [source, fires, minutes = 60]] of Object.entries(BY_HAND)) {
  const outcome = fires.length === 0 ? 'no alarm fires' : `only ${fires.join(', ')} fires`;
  for (const [reach, range] of Object.entries(RANGES)) {
    test(`${name}: ${outcome}, if an alarm looks back ${reach}`, (t) => {
      t.deepEqual(Object.keys(firedOn(source, minutes, range)).sort(), [...fires].sort());
    });
  }
}

test('every notifying alarm fires on at least one series, and notifies about its end too', (t) => {
  const fired = [
    ...Object.values(RECORDED).flatMap(Object.keys),
    ...Object.values(BY_HAND).flatMap(([, fires]) => fires),
  ];
  t.deepEqual([...new Set(fired)].sort(), [...NOTIFYING].sort());
  for (const name of NOTIFYING) {
    const { AlarmActions, OKActions } = { ...METRIC_ALARMS, ...COMPOSITE_ALARMS }[name] as Described;
    t.is(AlarmActions?.length, 1, name);
    t.deepEqual(OKActions, AlarmActions, name);
  }
});

test('every notifying alarm describes the problem and names its runbook, which exists', (t) => {
  const headings = GUIDE.split('\n## Alarms\n')[1]?.split('\n## ')[0]?.split('\n### ').slice(1) ?? [];
  const runbook = new Map(headings.map((text) => [text.split('\n')[0], text]));
  t.deepEqual([...runbook.keys()].sort(), [...NOTIFYING].sort());
  for (const name of NOTIFYING) {
    const { AlarmDescription } = { ...METRIC_ALARMS, ...COMPOSITE_ALARMS }[name] as Described;
    t.true(AlarmDescription.endsWith(`Runbook: cdk/README.md, "${name}".`), AlarmDescription);
    t.regex(runbook.get(name) ?? '', /\n- \*\*Look closer:\*\* [\s\S]+\n- \*\*Do:\*\* /, name);
  }
});

test('an alarm that is part of another does not notify by itself', (t) => {
  const parts = new Set(Object.values(COMPOSITE_ALARMS).flatMap(allOf));
  const others = Object.keys(METRIC_ALARMS).filter((name) => !NOTIFYING.includes(name));
  t.deepEqual(others.sort(), [...parts].sort());
});

test('without an address the alarms exist, but do not notify', (t) => {
  const withoutAddress = synthesized();
  for (const type of ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm']) {
    const alarms = Object.entries(withoutAddress.findResources(type));
    t.is(alarms.length, Object.keys(template.findResources(type)).length);
    for (const [id, { Properties }] of alarms) t.is('AlarmActions' in Properties, !id.startsWith('Alarms'), id);
  }
});

test('the dashboard and the alarms use only metrics that daemons send', (t) => {
  const [, table = ''] = METRICS_GUIDE.split('\n## CloudWatch\n');
  const sent = new Set([...table.matchAll(/`([A-Z]\w+)`/g)].map(([, name]) => name));
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const text = JSON.stringify([dashboard, template.findResources('AWS::CloudWatch::Alarm')]);
  const byName = [
    ...text.matchAll(/\\"Integratord\\",\\"(\w+)\\"/g),
    ...text.matchAll(/"MetricName":"(\w+)","Namespace":"Integratord"/g),
  ];
  const bySearch = [...text.matchAll(/MetricName=\W+(\w+)/g)];
  const used = new Set([...byName, ...bySearch].map(([, name]) => name));
  t.true(used.size >= 15, [...used].join());
  for (const name of used) t.true(sent.has(name), name);
});

test('the dashboard has calls, lag, gaps, failed starts, capacity, drains, instances and all alarms', (t) => {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const parts: unknown[] = dashboard?.['Properties'].DashboardBody['Fn::Join'][1];
  const { widgets } = JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'filled-in')).join(''));
  const titles = widgets.map(({ properties }: { properties: { title: string } }) => properties.title).join('; ');
  for (const topic of [/calls/, /Lag/, /Gaps/, /Failed starts/, /Capacity/, /Drains/, /Results/, /Instances/])
    t.regex(titles, topic);
  t.is(widgets[0].properties.alarms.length, NOTIFYING.length);
});
