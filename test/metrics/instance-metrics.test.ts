import { readFileSync } from 'node:fs';
import test from 'ava';
import { InstanceMetrics } from '../../daemon/metrics/instance-metrics.ts';
import { Threads } from '../../daemon/metrics/thread-totals.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

test('a refused start is counted under its reason, for every reason that the answer can have', async (t) => {
  const readme = readFileSync(new URL('../../daemon/http/README.md', import.meta.url), 'utf8');
  const rows = readme.split('\n').filter((line) => /^\| [45]\d\d/.test(line));
  const reasons = rows.flatMap((row) =>
    [...(row.split('|')[2] ?? '').matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name),
  );
  t.true(reasons.length > 10);
  const clock = new VirtualClock();
  const admission = { maxSessions: 10, currentCordon: undefined, drain: { view: () => undefined } };
  const metrics = new InstanceMetrics({ admission, size: 0 }, new Threads(clock), clock);
  for (const reason of reasons) metrics.startFailed(reason);
  const { startsFailed } = (await metrics.snapshot()).instance;
  t.deepEqual(startsFailed, { ...Object.fromEntries(reasons.map((reason) => [reason, 1])), other: 0 });
});
