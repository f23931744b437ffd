import test from 'ava';
import { event, hangUp, INSTANCE_ID, LAUNCHING, Stage, TERMINATING } from './stage.ts';

test('a terminating instance is held by heartbeats until its last call is over, then let go', async (t) => {
  const stage = await Stage.open(t);
  await stage.autoScaling.setHooks(TERMINATING);
  const instance = stage.instance(20);
  await event(instance, 'lifecycle.on');
  t.deepEqual(await stage.autoScaling.requests('RecordLifecycleActionHeartbeat'), []);
  await stage.metadata.setState({ targetLifecycleState: 'Terminated' });

  const began = await event(instance, 'drain.began');
  t.is(began['source'], 'lifecycle');
  const beats = await stage.autoScaling.succeeded('RecordLifecycleActionHeartbeat', 4);
  t.deepEqual(beats[0]?.params, {
    LifecycleHookName: 'drain',
    AutoScalingGroupName: 'integrators',
    InstanceId: INSTANCE_ID,
  });
  t.deepEqual(await stage.autoScaling.requests('CompleteLifecycleAction'), []);

  hangUp(instance);
  t.is(await instance.exited, 0);
  const requests = await stage.autoScaling.requests();
  t.deepEqual(requests.at(-1)?.action, 'CompleteLifecycleAction');
  t.deepEqual(requests.at(-1)?.params, {
    LifecycleHookName: 'drain',
    AutoScalingGroupName: 'integrators',
    LifecycleActionResult: 'CONTINUE',
    InstanceId: INSTANCE_ID,
  });
  t.is(instance.lines.filter((line) => line['event'] === 'drain.began').length, 1);
});

test('heartbeats come at a third of the time-out of the hook', async (t) => {
  const stage = await Stage.open(t);
  await stage.autoScaling.setHooks(TERMINATING);
  await stage.metadata.setState({ targetLifecycleState: 'Terminated' });
  const instance = stage.instance(1);
  const beats = await stage.autoScaling.succeeded('RecordLifecycleActionHeartbeat', 4);
  const [first, , , fourth] = beats.map(({ atMs }) => atMs) as [number, number, number, number];
  // Three pauses of 1 s; timers may fire a little early, and a slow machine only makes it longer.
  t.true(fourth - first >= 2900, `${fourth - first} ms`);
  t.is((await event(instance, 'lifecycle.heartbeat'))['nextInMs'], 1000);
});

test('an Auto Scaling that throttles, fails and hangs is asked until it answers', async (t) => {
  const stage = await Stage.open(t);
  await stage.autoScaling.setHooks(TERMINATING);
  await stage.autoScaling.addFaults(
    { action: 'DescribeAutoScalingInstances', status: 400, code: 'Throttling' },
    { action: 'DescribeLifecycleHooks', status: 503, code: 'ServiceUnavailable', times: 2 },
    { action: 'RecordLifecycleActionHeartbeat', status: 500 },
    { action: 'RecordLifecycleActionHeartbeat', hang: true },
    { action: 'CompleteLifecycleAction', status: 400, code: 'Throttling', times: 2 },
    { action: 'CompleteLifecycleAction', status: 500 },
  );
  const instance = stage.instance(1);
  await stage.metadata.setState({ targetLifecycleState: 'Terminated' });
  await event(instance, 'drain.began');
  await stage.autoScaling.succeeded('RecordLifecycleActionHeartbeat', 2);
  hangUp(instance);
  t.is(await instance.exited, 0);
  const completions = await stage.autoScaling.requests('CompleteLifecycleAction');
  t.deepEqual(
    completions.map(({ status }) => status),
    [400, 400, 500, 200],
  );
  const troubles = instance.lines.filter((line) => line['event'] === 'lifecycle.retry').map((line) => line['error']);
  t.true(troubles.some((error) => String(error).includes('Auto Scaling had not answered after 5000 ms')));
  t.true(troubles.some((error) => String(error).startsWith('Throttling')));
});

test('an Auto Scaling that never answers cannot keep a drained instance for ever', async (t) => {
  const stage = await Stage.open(t);
  await stage.autoScaling.setHooks(TERMINATING);
  await stage.autoScaling.addFaults({ action: 'CompleteLifecycleAction', hang: true, times: null });
  const instance = stage.instance(0);
  await stage.metadata.setState({ targetLifecycleState: 'Terminated' });
  t.is(await instance.exited, 0);
  t.like(await event(instance, 'lifecycle.unfinished'), {
    level: 'error',
    error: 'Error: Auto Scaling could not be told within 30000 ms',
  });
});

test('without a terminating hook the instance drains all the same, and says that nobody waits for it', async (t) => {
  const stage = await Stage.open(t);
  await stage.autoScaling.setHooks(LAUNCHING);
  const instance = stage.instance(1);
  await stage.metadata.setState({ targetLifecycleState: 'Terminated' });
  t.is((await event(instance, 'drain.began'))['source'], 'lifecycle');
  await event(instance, 'lifecycle.no-hook');
  hangUp(instance);
  t.is(await instance.exited, 0);
  t.deepEqual(await stage.autoScaling.requests('CompleteLifecycleAction'), []);
});

test('a hook that was put after the start counts', async (t) => {
  const stage = await Stage.open(t);
  const instance = stage.instance(1);
  await event(instance, 'lifecycle.on');
  await stage.autoScaling.setHooks(TERMINATING);
  await stage.metadata.setState({ targetLifecycleState: 'Terminated' });
  await event(instance, 'lifecycle.heartbeat');
  hangUp(instance);
  t.is(await instance.exited, 0);
  t.is((await stage.autoScaling.succeeded('CompleteLifecycleAction')).length, 1);
});

test('an instance that drains before its wait has begun completes it once it has', async (t) => {
  const stage = await Stage.open(t);
  await stage.autoScaling.setHooks(TERMINATING);
  await stage.autoScaling.setInstance({ lifecycleState: 'Terminating' });
  const instance = stage.instance(0);
  await stage.metadata.setState({ targetLifecycleState: 'Terminated' });
  await event(instance, 'lifecycle.retry');
  await stage.autoScaling.setInstance({ lifecycleState: 'Terminating:Wait' });
  t.is(await instance.exited, 0);
  t.is((await stage.autoScaling.succeeded('CompleteLifecycleAction')).length, 1);
});

test('a launching instance is let into service when it is ready', async (t) => {
  const stage = await Stage.open(t);
  await stage.autoScaling.setHooks(TERMINATING, LAUNCHING);
  await stage.autoScaling.setInstance({ lifecycleState: 'Pending:Wait' });
  await stage.autoScaling.addFaults({ action: 'CompleteLifecycleAction', status: 500 });
  const instance = stage.instance(0);
  await event(instance, 'ready');
  const completions = await stage.autoScaling.requests('CompleteLifecycleAction');
  t.deepEqual(
    completions.map(({ params, status }) => [params['LifecycleHookName'], status]),
    [
      ['arrive', 500],
      ['arrive', 200],
    ],
  );
});

test('an instance in service has no launching hook to complete', async (t) => {
  const stage = await Stage.open(t);
  await stage.autoScaling.setHooks(LAUNCHING);
  await event(stage.instance(0), 'ready');
  t.deepEqual(await stage.autoScaling.requests('CompleteLifecycleAction'), []);
});

test('a Spot notice drains until 20 s before the announced time', async (t) => {
  const stage = await Stage.open(t);
  const instance = stage.instance(1);
  await event(instance, 'lifecycle.on');
  await stage.metadata.setState({ spotAction: { action: 'terminate', time: '2031-05-06T07:08:09Z' } });
  const began = await event(instance, 'drain.began');
  t.is(began['source'], 'spot');
  t.is(new Date(began['deadlineAtEpochMs'] as number).toISOString(), '2031-05-06T07:07:49.000Z');
  t.is(began['reason'], 'Spot: terminate at 2031-05-06T07:08:09.000Z');
});

test('tokens that expire early are replaced, and the news still come', async (t) => {
  const stage = await Stage.open(t, ['--token-ttl-s', '1']);
  const instance = stage.instance(1);
  await event(instance, 'lifecycle.on');
  await stage.metadata.expireTokens();
  await stage.metadata.setState({ targetLifecycleState: 'Terminated' });
  await event(instance, 'drain.began');
  const tokens = (await stage.metadata.requests()).filter(({ method }) => method === 'PUT');
  t.true(tokens.length >= 2, `${tokens.length} tokens`);
});

test('a metadata service that goes away is found again when it is back', async (t) => {
  const stage = await Stage.open(t);
  const instance = stage.instance(1);
  await event(instance, 'lifecycle.on');
  process.kill(stage.metadataService.pid, 'SIGSTOP');
  await event(instance, 'lifecycle.metadata-lost');
  process.kill(stage.metadataService.pid, 'SIGCONT');
  await event(instance, 'lifecycle.metadata-back');
  await stage.metadata.setState({ targetLifecycleState: 'Terminated' });
  t.is((await event(instance, 'drain.began'))['source'], 'lifecycle');
});

test('off EC2 the watcher is off, in one line, and nothing of AWS is asked', async (t) => {
  const stage = await Stage.open(t);
  await stage.metadataService.stop();
  for (const isDisabled of ['true', 'false']) {
    const instance = stage.instance(0, { AWS_EC2_METADATA_DISABLED: isDisabled });
    t.like(await event(instance, 'serving'), { on: false });
    await event(instance, 'ready');
    await instance.stop();
    t.is(await instance.exited, 0);
    t.deepEqual(
      instance.lines.map((line) => [line['level'], line['event']]),
      [
        ['info', 'lifecycle.off'],
        ['info', 'serving'],
        ['info', 'ready'],
        ['info', 'finished'],
      ],
    );
  }
  t.deepEqual(await stage.autoScaling.requests(), []);
});
