import { hostname } from 'node:os';
import type { MetricDatum } from '@aws-sdk/client-cloudwatch';
import test from 'ava';
import { createLog } from '../../daemon/log/log.ts';
import { CloudWatchReporter, connectCloudWatch, type PutMetricData } from '../../daemon/metrics/cloudwatch.ts';
import { InstanceMetrics } from '../../daemon/metrics/instance-metrics.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { Threads } from '../../daemon/metrics/thread-totals.ts';
import { CloudWatchControl } from '../simulators/cloudwatch/client.ts';
import { Program } from '../support/process.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const INSTANCE_ID = 'i-0a1b2c3d4e5f60718';
const MINUTE_MS = 60_000;

/** A reporter of an instance without calls that reports to `put`. */
function reporting(put: PutMetricData, instanceId = async () => INSTANCE_ID) {
  const clock = new VirtualClock();
  const lines: Record<string, unknown>[] = [];
  const log = createLog('info', { write: (text) => lines.push(JSON.parse(text) as Record<string, unknown>) });
  const sessions = new SessionMetrics();
  const threads = new Threads(clock);
  threads.join(() => sessions.snapshot());
  const admission = { maxSessions: 10, currentCordon: undefined, drain: { view: () => undefined } };
  const metrics = new InstanceMetrics({ admission, size: 0 }, threads, clock);
  const reporter = new CloudWatchReporter({ stack: 'calls', metrics, put, instanceId, clock, log });
  const puts = async () => (await metrics.snapshot()).instance.cloudWatchPuts;
  return { clock, reporter, sessions, puts, events: () => lines.map(({ event }) => event) };
}

/** Keeps what it accepts. */
function fakeCloudWatch() {
  const taken: MetricDatum[][] = [];
  const fails: { with: Error | undefined } = { with: undefined };
  const put: PutMetricData = async (data) => {
    if (fails.with) throw fails.with;
    taken.push(data);
  };
  /** The value under the stack alone, for each report. */
  const values = (name: string) =>
    taken.map((data) => data.find((datum) => datum.MetricName === name && datum.Dimensions?.length === 1)?.Value);
  return { taken, fails, put, values };
}

test('a report is sent at once and then every minute', async (t) => {
  const { put, taken } = fakeCloudWatch();
  const { clock } = reporting(put);
  await clock.settle();
  t.is(taken.length, 1);
  await clock.advance(MINUTE_MS - 1);
  t.is(taken.length, 1);
  await clock.advance(1);
  t.is(taken.length, 2);
  await clock.advance(10 * MINUTE_MS);
  t.is(taken.length, 12);
});

test('while CloudWatch fails, counts wait for the next report; logged once per outage, and counted', async (t) => {
  const { put, fails, values } = fakeCloudWatch();
  const { clock, sessions, puts, events } = reporting(put);
  await clock.settle();
  fails.with = new Error('InternalFailure');
  for (let minute = 0; minute < 3; minute++) {
    sessions.gap('missing', 100);
    await clock.advance(MINUTE_MS);
  }
  t.deepEqual(events(), ['cloudwatch.failing']);
  fails.with = undefined;
  sessions.gap('missing', 50);
  await clock.advance(2 * MINUTE_MS);
  t.deepEqual(events(), ['cloudwatch.failing', 'cloudwatch.recovered']);
  t.deepEqual(values('GapMilliseconds'), [0, 350, 0]);
  t.deepEqual(await puts(), { ok: 3, failed: 3 });
});

test('a report without a response times out after 20 s', async (t) => {
  const { clock, puts } = reporting(() => new Promise(() => {}));
  await clock.advance(19_999);
  t.deepEqual(await puts(), { ok: 0, failed: 0 });
  await clock.advance(1);
  await clock.settle();
  t.deepEqual(await puts(), { ok: 0, failed: 1 });
});

test('concurrent reports are one request', async (t) => {
  const { put, taken } = fakeCloudWatch();
  const { reporter } = reporting(put);
  await Promise.all([reporter.report(), reporter.report(), reporter.report()]);
  t.is(taken.length, 1);
});

test('the last report has the counts since the previous one, and no report follows', async (t) => {
  const { put, taken, values } = fakeCloudWatch();
  const { clock, reporter, sessions } = reporting(put);
  await reporter.report();
  sessions.sessionCompleted('stopped');
  await reporter.stop();
  t.deepEqual(values('SessionsCompleted'), [0, 1]);
  await clock.advance(10 * MINUTE_MS);
  t.is(taken.length, 2);
});

test('an exit waits at most 5 s for a response', async (t) => {
  const { clock, reporter, puts } = reporting(() => new Promise(() => {}));
  let isStopped = false;
  const stopped = reporter.stop().then(() => {
    isStopped = true;
  });
  await clock.advance(4999);
  t.false(isStopped);
  await clock.advance(1);
  await stopped;
  t.deepEqual(await puts(), { ok: 0, failed: 2 });
});

test('without an instance id the host name is reported', async (t) => {
  const { put, taken } = fakeCloudWatch();
  const { reporter } = reporting(put, () => Promise.reject(new Error('not on EC2')));
  await reporter.report();
  const instances = taken.flat().flatMap(({ Dimensions = [] }) => Dimensions.filter(({ Name }) => Name === 'Instance'));
  t.deepEqual([...new Set(instances.map(({ Value }) => Value))], [hostname()]);
});

test('CloudWatch accepts the SDK’s request, with data per stack and per instance', async (t) => {
  const service = new Program('test/simulators/cloudwatch/main.ts');
  t.teardown(() => service.stop('SIGKILL'));
  const url = await service.listening();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_CLOUDWATCH: url,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-test',
  });
  const cloudWatch = new CloudWatchControl(url);
  const { reporter, sessions } = reporting(connectCloudWatch(async () => 'us-east-1'));
  await reporter.report();
  sessions.gap('corrupt', 300);
  sessions.lagMs.observe(40);
  await reporter.report();
  const requests = await cloudWatch.requests();
  t.is(requests.length, 2);
  t.like(requests[1], { status: 200, put: { Namespace: 'Integratord' } });
  for (const dimensions of [{ Stack: 'calls' }, { Stack: 'calls', Instance: INSTANCE_ID }]) {
    const gaps = await cloudWatch.data('GapMilliseconds', dimensions);
    t.deepEqual(
      gaps.map(({ Value, Unit }) => [Value, Unit]),
      [
        [0, 'Milliseconds'],
        [300, 'Milliseconds'],
      ],
    );
    t.like((await cloudWatch.data('LagMilliseconds', dimensions))[0], { Values: [40], Counts: [1] });
    t.is((await cloudWatch.data('CapacityUsed', dimensions))[0]?.Unit, 'Percent');
  }
});
