import { mock } from 'node:test';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { Admission } from '../../daemon/admission/admission.ts';
import { Drain } from '../../daemon/admission/drain.ts';
import { createLog } from '../../daemon/log/log.ts';
import { CloudWatchReporter, connectCloudWatch } from '../../daemon/metrics/cloudwatch.ts';
import { InstanceMetrics } from '../../daemon/metrics/instance-metrics.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import { Threads } from '../../daemon/metrics/thread-totals.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { CloudWatchControl } from '../simulators/cloudwatch/client.ts';
import { Program } from '../support/process.ts';

const test = anyTest as TestFn<{ cloudWatch: CloudWatchControl; service: Program }>;
const INSTANCE_ID = 'i-0a1b2c3d4e5f60718';

test.before(async (t) => {
  const service = new Program('test/simulators/cloudwatch/main.ts');
  const url = await service.listening();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_CLOUDWATCH: url,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-test',
  });
  t.context = { cloudWatch: new CloudWatchControl(url), service };
});
test.after.always((t) => t.context.service.stop('SIGKILL'));

/** A reporter of an instance without calls, under a stack of its own. */
function reporting(t: ExecutionContext, stack: string, put = connectCloudWatch(async () => 'us-east-1')) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('info', { write: (text) => lines.push(JSON.parse(text)) });
  const sessions = new SessionMetrics();
  const threads = new Threads();
  threads.join(() => sessions.snapshot());
  const drained = { size: () => 0, longestCallMs: () => 0, endRemaining: () => {} };
  const admission = new Admission(10, new Drain(drained, systemClock, log, 0), systemClock);
  const metrics = new InstanceMetrics({ admission, size: 0 }, threads, systemClock);
  const instanceId = async () => INSTANCE_ID;
  const reporter = new CloudWatchReporter({ stack, metrics, put, instanceId, clock: systemClock, log });
  t.teardown(() => reporter.stop());
  const puts = async () => (await metrics.snapshot()).instance.cloudWatchPuts;
  return { reporter, sessions, puts, events: () => lines.map(({ event }) => event) };
}

// What goes wrong goes wrong with the next request, whoever makes it, so these come one after the other.
test.serial('CloudWatch takes what the SDK sends, in one request, under the stack and the instance', async (t) => {
  const { cloudWatch } = t.context;
  const { reporter, sessions } = reporting(t, 'taken');
  await reporter.report();
  sessions.hole('corrupt', 300);
  sessions.lagMs.observe(40);
  const before = (await cloudWatch.requests()).length;
  await reporter.report();
  const requests = (await cloudWatch.requests()).slice(before);
  t.is(requests.length, 1);
  t.like(requests[0], { status: 200, put: { Namespace: 'Integratord' } });
  for (const dimensions of [{ Stack: 'taken' }, { Stack: 'taken', Instance: INSTANCE_ID }]) {
    const holes = await cloudWatch.data('HoleMilliseconds', dimensions);
    t.deepEqual(
      holes.map(({ Value, Unit }) => [Value, Unit]),
      [
        [0, 'Milliseconds'],
        [300, 'Milliseconds'],
      ],
    );
    t.like((await cloudWatch.data('LagMilliseconds', dimensions))[0], { Values: [40], Counts: [1] });
    t.is((await cloudWatch.data('CapacityUsed', dimensions))[0]?.Unit, 'Percent');
  }
});

test.serial('while CloudWatch refuses, counts wait for it; that is logged once per spell, and counted', async (t) => {
  const { cloudWatch } = t.context;
  const { reporter, sessions, puts, events } = reporting(t, 'refused');
  await reporter.report();
  await cloudWatch.addFaults({ times: 3, status: 500 });
  for (let minute = 0; minute < 3; minute++) {
    sessions.hole('missing', 100);
    await reporter.report();
  }
  t.deepEqual(events(), ['cloudwatch.failing']);
  sessions.hole('missing', 50);
  await reporter.report();
  await reporter.report();
  t.deepEqual(events(), ['cloudwatch.failing', 'cloudwatch.recovered']);
  const values = (await cloudWatch.data('HoleMilliseconds', { Stack: 'refused' })).map(({ Value }) => Value);
  t.deepEqual(values, [0, 350, 0]);
  t.deepEqual(await puts(), { ok: 3, failed: 3 });
});

test.serial('reports that are asked for while one is under way are that one', async (t) => {
  const { cloudWatch } = t.context;
  const { reporter } = reporting(t, 'once');
  await Promise.all([reporter.report(), reporter.report(), reporter.report()]);
  t.is((await cloudWatch.data('CapacityUsed', { Stack: 'once' })).length, 1);
});

test.serial('a report goes at once, and one each minute after it', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  let put = Promise.withResolvers<void>();
  let puts = 0;
  const { reporter } = reporting(t, 'punctual', async () => {
    puts++;
    put.resolve();
  });
  for (const expected of [1, 2, 3]) {
    await put.promise;
    await reporter.report();
    t.is(puts, expected);
    put = Promise.withResolvers();
    mock.timers.tick(59_999);
    t.is(puts, expected);
    mock.timers.tick(1);
  }
});

test.serial('an exit does not wait for a CloudWatch that does not answer', async (t) => {
  const { cloudWatch } = t.context;
  const { reporter, puts } = reporting(t, 'hanging');
  await reporter.report();
  const before = (await cloudWatch.requests()).length;
  await cloudWatch.addFaults({ times: null, hang: true });
  void reporter.report();
  await cloudWatch.requested(before + 1);
  await reporter.stop();
  await cloudWatch.clearFaults();
  t.deepEqual(await puts(), { ok: 1, failed: 2 });
});

test.serial('a last report tells what came since the one before', async (t) => {
  const { cloudWatch } = t.context;
  const { reporter, sessions } = reporting(t, 'ended');
  await reporter.report();
  sessions.sessionCompleted('stopped');
  await reporter.stop();
  const values = (await cloudWatch.data('SessionsCompleted', { Stack: 'ended' })).map(({ Value }) => Value);
  t.deepEqual(values, [0, 1]);
});
