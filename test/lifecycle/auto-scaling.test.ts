import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { connectAutoScaling, NoActiveAction } from '../../daemon/lifecycle/auto-scaling.ts';
import { AutoScalingControl } from '../simulators/auto-scaling/client.ts';
import type { Hook } from '../simulators/auto-scaling/group.ts';
import { Program } from '../support/process.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** Names may contain what XML must escape. */
const GROUP = 'R&D <integrators> "one"';
const TERMINATING: Hook = {
  name: 'drain',
  transition: 'autoscaling:EC2_INSTANCE_TERMINATING',
  heartbeatTimeoutS: 3,
};
const LAUNCHING: Hook = {
  name: 'arrive',
  transition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
  heartbeatTimeoutS: 300,
};
/** The simulator reports nothing by itself. */
const POLL_MS = 20;

process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
process.env['AWS_SECRET_ACCESS_KEY'] = 'secret-of-the-test';

test('the SDK and the simulator understand each other', async (t) => {
  const program = new Program('test/simulators/auto-scaling/main.ts', ['--group-name', GROUP, '--region', 'eu-west-1']);
  t.teardown(() => program.stop('SIGKILL'));
  const url = await program.listening();
  const control = new AutoScalingControl(url);
  // This test file has a process of its own.
  process.env['AWS_ENDPOINT_URL_AUTO_SCALING'] = url;
  const clock = new VirtualClock();
  const autoScaling = connectAutoScaling(async () => 'eu-west-1', clock);
  t.teardown(() => autoScaling.close());
  const { signal } = new AbortController();
  await control.setHooks(TERMINATING, LAUNCHING);

  const member = await autoScaling.findMember('i-1', signal);
  t.deepEqual(member, { instanceId: 'i-1', groupName: GROUP, lifecycleState: 'InService' });

  await control.setNeighbors({ instanceId: 'i-2', lifecycleState: 'Pending:Wait', isHealthy: true });
  await autoScaling.reportUnhealthy('i-1', signal);
  t.deepEqual(await autoScaling.describeGroup(GROUP, signal), {
    desiredCapacity: 2,
    instances: [
      { instanceId: 'i-1', groupName: GROUP, lifecycleState: 'InService', isHealthy: false },
      { instanceId: 'i-2', groupName: GROUP, lifecycleState: 'Pending:Wait', isHealthy: true },
    ],
  });

  t.deepEqual(await autoScaling.listHooks(GROUP, signal), [
    { name: 'drain', transition: 'terminating', heartbeatTimeoutMs: 3000 },
    { name: 'arrive', transition: 'launching', heartbeatTimeoutMs: 300_000 },
  ]);
  await control.setHooks(TERMINATING);
  t.is((await autoScaling.listHooks(GROUP, signal)).length, 1);
  await control.setHooks();
  t.deepEqual(await autoScaling.listHooks(GROUP, signal), []);
  await t.throwsAsync(autoScaling.listHooks('another', signal), { name: 'ValidationError', message: /not found/ });

  await control.setHooks(TERMINATING);
  const action = { instanceId: 'i-1', groupName: GROUP, hookName: 'drain' };
  await autoScaling.recordHeartbeat(action, signal);
  await autoScaling.completeAction(action, signal);
  t.is((await autoScaling.findMember('i-1', signal))?.lifecycleState, 'Terminating:Proceed');
  await t.throwsAsync(autoScaling.recordHeartbeat(action, signal), { instanceOf: NoActiveAction });
  await t.throwsAsync(autoScaling.completeAction(action, signal), { instanceOf: NoActiveAction });
  await control.setInstance({ lifecycleState: null });
  t.is(await autoScaling.findMember('i-1', signal), undefined);

  await control.addFaults(
    { action: 'DescribeLifecycleHooks', status: 400, code: 'Throttling' },
    { action: 'DescribeLifecycleHooks', status: 500, code: 'ResourceContention' },
    { action: 'DescribeLifecycleHooks', hang: true, times: 2 },
  );
  await t.throwsAsync(autoScaling.listHooks(GROUP, signal), { name: 'Throttling' });
  await t.throwsAsync(autoScaling.listHooks(GROUP, signal), { name: 'ResourceContentionFault' });
  const impatient = new AbortController();
  const hanging = autoScaling.listHooks(GROUP, impatient.signal);
  await clock.settle();
  impatient.abort();
  await t.throwsAsync(hanging, { name: 'AbortError' });

  const before = (await control.requests()).length;
  const late = t.throwsAsync(autoScaling.listHooks(GROUP, signal), {
    message: 'Auto Scaling did not respond within 5000 ms',
  });
  while ((await control.requests()).length === before) await sleep(POLL_MS);
  await clock.advance(5000);
  await late;

  const elsewhere = connectAutoScaling('us-east-1', clock);
  t.teardown(() => elsewhere.close());
  await t.throwsAsync(elsewhere.findMember('i-1', signal), { name: 'SignatureDoesNotMatch' });
  const unsigned = await fetch(url, { method: 'POST', body: 'Action=DescribeLifecycleHooks&Version=2011-01-01' });
  t.is(unsigned.status, 403);
});
