import { readFileSync } from 'node:fs';
import test from 'ava';
import { METRICS } from '../../daemon/metrics/metric-table.ts';
import { PROCESS_METRICS } from '../../daemon/metrics/prometheus.ts';

const README = readFileSync(new URL('../../daemon/metrics/README.md', import.meta.url), 'utf8');
const ALL = [...METRICS, ...PROCESS_METRICS];

test('the table in README.md has every metric and no other', (t) => {
  const rows = README.split('\n').filter((line) => /^\| `(integratord|process)_/.test(line));
  t.deepEqual(
    rows,
    ALL.map(({ name, type, unit, labels, help }) => {
      const named = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${unit} | ${named} | ${help} |`;
    }),
  );
});

test('names follow the conventions of Prometheus', (t) => {
  for (const { name, type, unit } of ALL) {
    t.regex(name, /^(integratord|process)(_[a-z]+)+$/);
    t.is(name.endsWith('_total'), type === 'counter', name);
    t.true(name.replace(/_total$/, '').endsWith(unit), name);
  }
});

test('no label names a contact, a session or a stream', (t) => {
  const labels = new Set(ALL.flatMap((metric) => metric.labels));
  t.deepEqual(
    [...labels].sort(),
    [
      'arch',
      'cause',
      'channel',
      'code',
      'node',
      'origin',
      'outcome',
      'reason',
      'result',
      'sink',
      'state',
      'status',
      'type',
      'version',
    ].sort(),
  );
});
