import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Admission } from '../../daemon/admission/admission.ts';
import { Drain } from '../../daemon/admission/drain.ts';
import { createLog } from '../../daemon/log/log.ts';
import { InstanceMetrics } from '../../daemon/metrics/instance-metrics.ts';
import { METRICS } from '../../daemon/metrics/metric-table.ts';
import { PROCESS_METRICS, PrometheusPage } from '../../daemon/metrics/prometheus.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { Threads } from '../../daemon/metrics/thread-totals.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { needs } from '../support/tools.ts';
import { grafanaDashboard } from './grafana.ts';
import { groupedBy, isSelected, PROMETHEUS_LABELS, selectorsIn } from './promql.ts';
import { readScrape } from './scrape.ts';

const ROOT = join(import.meta.dirname, '../..');
const RULES = join(ROOT, 'daemon/metrics/alerts.yaml');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const dashboard = grafanaDashboard.parse(JSON.parse(read('daemon/metrics/grafana.json')));
const QUERIES = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const));
const [, ...rules] = read('daemon/metrics/alerts.yaml').split('- alert: ');
const ALERTS = rules.map((text) => {
  const [name = ''] = text.split('\n');
  const [, expression = ''] = /\n {8}expr: (?:>-\n)?([\s\S]*?)\n {8}(?:for|labels):/.exec(text) ?? [];
  const [, runbook = ''] = /runbook: cdk\/README\.md, "(\w+)"/.exec(text) ?? [];
  return { name, expression, runbook };
});
const EXPRESSIONS = [...QUERIES, ...ALERTS.map(({ name, expression }) => [`the alert ${name}`, expression] as const)];

/** All series of a daemon that has just started. */
async function everySeries(): Promise<string[]> {
  const log = createLog('silent', { write: () => {} });
  const sessions = new SessionMetrics();
  // A histogram has all its series from the first observation on.
  sessions.lagMs.observe(1);
  const threads = new Threads(systemClock);
  threads.join(() => sessions.snapshot());
  const drained = { size: () => 0, mayBeSent: () => true, longestCallMs: () => 0, endRemaining: () => {} };
  const admission = new Admission({
    maxSessions: 10,
    healthLagMs: 0,
    drain: new Drain(drained, systemClock, log, 0),
    reach: { cutOff: undefined },
    clock: systemClock,
  });
  const page = new PrometheusPage(new InstanceMetrics({ admission, size: 0 }, threads, systemClock));
  return [...readScrape((await page.text()).text).keys()];
}

function promtool(t: ExecutionContext, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  t.is(status, 0, `${stdout}${stderr}`);
}

test('every series that the Grafana dashboard and the alerts use exists on a daemon', async (t) => {
  const series = await everySeries();
  t.true(EXPRESSIONS.length >= 30);
  for (const [where, expression] of EXPRESSIONS) {
    const selectors = selectorsIn(expression);
    t.true(selectors.length > 0, `${where}: ${expression}`);
    for (const selector of selectors)
      t.true(
        series.some((each) => isSelected(each, selector)),
        `${where}: ${selector.metric}`,
      );
  }
});

test('that check fails for series that no daemon has', async (t) => {
  const series = await everySeries();
  for (const wrong of [
    'integratord_session_active',
    'integratord_starts_total{result="failed"}',
    'integratord_deepgram_refusals_total{status=~"418|999"}',
    'integratord_lag_seconds',
  ])
    t.false(
      series.some((each) => isSelected(each, selectorsIn(wrong)[0] ?? { metric: '', matchers: [] })),
      wrong,
    );
});

test('labels in an expression are those of its metrics, or of Prometheus', (t) => {
  const labelsOf = new Map(
    [...METRICS, ...PROCESS_METRICS].map(({ name, labels }) => [name, labels as readonly string[]]),
  );
  for (const [where, expression] of EXPRESSIONS) {
    const known = selectorsIn(expression).flatMap(({ metric }) => {
      const name = metric.replace(/_(bucket|sum|count)$/, '');
      const isHistogram = name !== metric && !labelsOf.has(metric);
      return [...(labelsOf.get(isHistogram ? name : metric) ?? []), ...(isHistogram ? ['le'] : [])];
    });
    const used = [
      ...groupedBy(expression),
      ...selectorsIn(expression).flatMap(({ matchers }) => matchers.map(({ label }) => label)),
    ];
    for (const label of used) t.true([...known, ...PROMETHEUS_LABELS].includes(label), `${where}: ${label}`);
  }
});

test('a legend uses labels that its query keeps', (t) => {
  for (const { targets } of dashboard.panels) {
    for (const { expr, legendFormat } of targets) {
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        const isAggregated = /^(\d+ \* )?(sum|max|count)\b/.test(expr);
        t.true(isAggregated ? groupedBy(expr).includes(label) : PROMETHEUS_LABELS.includes(label), expr);
      }
    }
  }
});

test('panels have unique ids and do not overlap', (t) => {
  const { panels } = dashboard;
  t.is(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const [at, { gridPos: a, title }] of panels.entries()) {
    for (const { gridPos: b } of panels.slice(at + 1)) {
      t.false(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h, title);
    }
  }
});

test('the Grafana dashboard shows calls, lag, gaps, failed starts, capacity, drains and instances', (t) => {
  const titles = dashboard.panels.map(({ title }) => title).join('; ');
  for (const topic of [/Calls/, /Lag/, /Gaps/, /Failed starts/, /Capacity/, /Drains/, /Instances/])
    t.regex(titles, topic);
});

needs(test, 'promtool')('Prometheus accepts every query of the dashboard', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-queries-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const records = QUERIES.map(([, expr], at) => {
    const filledIn = expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', 'integratord');
    t.false(filledIn.includes('$'), filledIn);
    return `      - record: query_${at}\n        expr: ${JSON.stringify(filledIn)}\n`;
  });
  const file = join(directory, 'queries.yaml');
  writeFileSync(file, `groups:\n  - name: queries\n    rules:\n${records.join('')}`);
  promtool(t, 'check', 'rules', file);
});

needs(test, 'promtool')('Prometheus accepts the alerts, and each fires on its fault and not otherwise', (t) => {
  promtool(t, 'check', 'rules', RULES);
  promtool(t, 'test', 'rules', join(ROOT, 'test/metrics/alerts.promtool.yaml'));
  const tried = read('test/metrics/alerts.promtool.yaml');
  for (const { name } of ALERTS) {
    t.regex(tried, new RegExp(`alertname: ${name}, exp_alerts: \\[\\]`), `${name} stays quiet at least once`);
    t.regex(tried, new RegExp(`alertname: ${name}\\n +exp_alerts:\\n`), `${name} fires at least once`);
  }
});

test('every alert has an entry in the runbook that it shares with the alarms', (t) => {
  const guide = read('cdk/README.md');
  for (const { name, runbook } of ALERTS) {
    t.is(runbook, name);
    t.true(guide.includes(`\n### ${name}\n`), name);
  }
});
