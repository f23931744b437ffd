import test from 'ava';
import { NoActiveAction } from '../../daemon/lifecycle/auto-scaling.ts';
import { MetadataRefused, MetadataUnavailable } from '../../daemon/lifecycle/metadata.ts';
import {
  ARRIVE_HOOK,
  DRAIN_HOOK,
  FakeAws,
  failing,
  MAINTENANCE_LEAD_MS,
  NOW_EPOCH_MS,
  TERMINATION_MS,
} from './fake-aws.ts';

const SPOT = { action: 'terminate', atEpochMs: NOW_EPOCH_MS + 120_000 };

test('where there is certainly no metadata service the lifecycle is off, and every method returns at once', async (t) => {
  const aws = new FakeAws();
  aws.metadata.absence = 'AWS_EC2_METADATA_DISABLED is true';
  const lifecycle = await aws.start(t);
  t.deepEqual(lifecycle.view(), { on: false });
  await lifecycle.ready();
  await lifecycle.finish();
  t.deepEqual(aws.requested, []);
  t.deepEqual(
    aws.recorded.lines.map((line) => [line['level'], line['event']]),
    [['info', 'lifecycle.off']],
  );
  t.is(aws.clock.pending, 0);
});

for (const refusal of [
  new MetadataRefused('the request for a token', 429),
  new MetadataRefused('meta-data/instance-id', 404),
  new MetadataRefused('the request for a token', 403),
  new MetadataUnavailable('no response within 1000 ms'),
]) {
  test(`a metadata service that does not respond for an hour is retried: ${refusal.message}`, async (t) => {
    const aws = new FakeAws();
    const { instanceId, targetLifecycleState } = aws.metadata;
    aws.metadata.instanceId = failing(instanceId, refusal);
    aws.metadata.targetLifecycleState = failing(targetLifecycleState, refusal);
    aws.lifecycleState = 'Pending:Wait';
    aws.hooks = [ARRIVE_HOOK, DRAIN_HOOK];
    const lifecycle = await aws.start(t);
    void lifecycle.ready();
    await aws.clock.advance(3_600_000);
    t.like(lifecycle.view(), { on: true, fault: String(refusal) });
    t.deepEqual(
      aws.recorded.lines.map((line) => [line['level'], line['event']]),
      [['warn', 'lifecycle.metadata-lost']],
    );
    Object.assign(aws.metadata, { instanceId, targetLifecycleState });
    await aws.clock.advance(30_000);
    t.like(lifecycle.view(), { on: true, fault: undefined, groupName: 'integrators' });
    t.deepEqual(aws.requested, ['complete arrive']);
    aws.targetState = 'Terminated';
    await aws.clock.advance(1000);
    t.is(aws.orders.length, 1);
  });
}

test('an instance that Auto Scaling does not list yet completes its launching hook once it does', async (t) => {
  const aws = new FakeAws();
  const { findMember } = aws.autoScaling;
  aws.autoScaling.findMember = async () => undefined;
  aws.lifecycleState = 'Pending:Wait';
  aws.hooks = [ARRIVE_HOOK];
  const lifecycle = await aws.start(t);
  void lifecycle.ready();
  await aws.clock.advance(20_000);
  t.is(aws.recorded.of('lifecycle.no-group').length, 1);
  t.deepEqual(aws.requested, []);
  aws.autoScaling.findMember = findMember;
  await aws.clock.advance(30_000);
  t.deepEqual(aws.requested, ['complete arrive']);
});

test('a terminating hook is completed although Auto Scaling does not list the instance at first', async (t) => {
  const aws = new FakeAws();
  const { findMember } = aws.autoScaling;
  let looks = 0;
  aws.autoScaling.findMember = async (...args) => (++looks <= 5 ? undefined : findMember(...args));
  aws.targetState = 'Terminated';
  const lifecycle = await aws.start(t);
  const finished = lifecycle.finish();
  await aws.clock.advance(30_000);
  await finished;
  t.true(aws.requested.includes('complete drain'));
  t.deepEqual(aws.recorded.of('lifecycle.unfinished'), []);
});

test('an instance that was listed and is not any more is taken to be in its group', async (t) => {
  const aws = new FakeAws();
  const lifecycle = await aws.start(t);
  aws.autoScaling.findMember = async () => undefined;
  aws.targetState = 'Terminated';
  await aws.clock.advance(1000);
  await lifecycle.finish();
  t.deepEqual(aws.requested, ['heartbeat drain', 'complete drain']);
});

test('a launching hook that a termination overtook is given up', async (t) => {
  const aws = new FakeAws();
  aws.lifecycleState = 'Pending';
  aws.hooks = [ARRIVE_HOOK];
  aws.autoScaling.completeAction = async () => {
    throw new NoActiveAction('No active Lifecycle Action found');
  };
  const lifecycle = await aws.start(t);
  const ready = lifecycle.ready();
  aws.lifecycleState = 'Terminating:Wait';
  aws.targetState = 'Terminated';
  await aws.clock.advance(1000);
  await ready;
  const warnings = aws.recorded.of('lifecycle.retry').length;
  await aws.clock.advance(3_600_000);
  t.is(aws.recorded.of('lifecycle.retry').length, warnings);
});

test('an instance enters the warm pool and leaves it: the launching hook is completed both times', async (t) => {
  const aws = new FakeAws();
  aws.lifecycleState = 'Warmed:Pending:Wait';
  aws.targetState = 'Warmed:Running';
  aws.hooks = [ARRIVE_HOOK, DRAIN_HOOK];
  const lifecycle = await aws.start(t);
  await lifecycle.ready();
  t.deepEqual(aws.requested, ['complete arrive']);
  aws.lifecycleState = 'Warmed:Running';
  await aws.clock.advance(60_000);
  aws.targetState = 'InService';
  await aws.clock.advance(2000);
  t.deepEqual(aws.requested, ['complete arrive'], 'not before it leaves');
  aws.lifecycleState = 'Pending:Wait';
  await aws.clock.advance(5000);
  t.deepEqual(aws.requested, ['complete arrive', 'complete arrive']);
  t.deepEqual(aws.orders, []);
});

test('maintenance is announced once, drains when due, and is withdrawn when called off', async (t) => {
  const aws = new FakeAws();
  const notBeforeEpochMs = NOW_EPOCH_MS + MAINTENANCE_LEAD_MS + 60_000;
  aws.maintenance = [{ eventId: 'instance-event-1', code: 'system-reboot', notBeforeEpochMs }];
  await aws.start(t);
  await aws.clock.advance(59_000);
  t.is(aws.recorded.of('lifecycle.maintenance').length, 1);
  t.deepEqual(aws.orders, []);
  await aws.clock.advance(1000);
  t.like(aws.orders, [{ source: 'maintenance', deadlineAtEpochMs: notBeforeEpochMs - 20_000 }]);
  aws.maintenance = [];
  await aws.clock.advance(10_000);
  t.deepEqual(aws.withdrawn, ['maintenance']);
  t.is(aws.recorded.of('lifecycle.maintenance-over').length, 1);
  t.is(aws.orders.length, 1);
});

test('an Auto Scaling that fails at the start is retried until it responds', async (t) => {
  const aws = new FakeAws();
  aws.autoScaling.findMember = failing(aws.autoScaling.findMember, new Error('AccessDenied'), 12);
  const lifecycle = await aws.start(t);
  await aws.clock.advance(5 * 60_000);
  t.is(aws.recorded.of('lifecycle.retry').length, 12);
  t.is(aws.recorded.of('lifecycle.on').length, 1);
  t.is(lifecycle.view().groupName, 'integrators');
});

test('a termination starts one drain, within a second, with the deadline of the settings', async (t) => {
  const aws = new FakeAws();
  const lifecycle = await aws.start(t);
  aws.targetState = 'Terminated';
  await aws.clock.advance(1000);
  await aws.clock.advance(60_000);
  t.deepEqual(aws.orders, [
    {
      source: 'lifecycle',
      reason: 'Auto Scaling terminates this instance',
      deadlineAtEpochMs: NOW_EPOCH_MS + 1000 + TERMINATION_MS,
    },
  ]);
  t.is(lifecycle.view().state, 'Terminated');
});

test('heartbeats at a third of the time-out hold the instance, and the completion releases it', async (t) => {
  const aws = new FakeAws();
  aws.targetState = 'Terminated';
  const lifecycle = await aws.start(t);
  await aws.clock.advance(35_000);
  t.deepEqual(aws.requests, [
    { request: 'heartbeat drain', atMs: 0 },
    { request: 'heartbeat drain', atMs: 10_000 },
    { request: 'heartbeat drain', atMs: 20_000 },
    { request: 'heartbeat drain', atMs: 30_000 },
  ]);
  await lifecycle.finish();
  await aws.clock.advance(60_000);
  t.deepEqual(aws.requested.slice(4), ['complete drain']);
  t.is(aws.recorded.of('lifecycle.completed').length, 1);
  t.is(lifecycle.finish(), lifecycle.finish());
  lifecycle.stop();
  await aws.clock.settle();
  t.is(aws.clock.pending, 0);
});

test('a heartbeat that fails is retried before the hook times out', async (t) => {
  const aws = new FakeAws();
  aws.targetState = 'Terminated';
  aws.autoScaling.recordHeartbeat = failing(aws.autoScaling.recordHeartbeat, new Error('Throttling'), 8);
  await aws.start(t);
  await aws.clock.advance(30_000);
  t.is(aws.recorded.of('lifecycle.retry').length, 8);
  // No delay is longer than the interval of heartbeats.
  t.true(aws.recorded.of('lifecycle.retry').every(({ delayMs }) => Number(delayMs) <= 10_000));
  t.is(aws.requested[0], 'heartbeat drain');
});

test('an Auto Scaling that never responds holds a drained instance for 30 s', async (t) => {
  const aws = new FakeAws();
  aws.targetState = 'Terminated';
  aws.autoScaling.completeAction = () => new Promise(() => {});
  const lifecycle = await aws.start(t);
  let isFinished = false;
  const finished = lifecycle.finish().then(() => {
    isFinished = true;
  });
  await aws.clock.advance(29_999);
  t.false(isFinished);
  await aws.clock.advance(1);
  await finished;
  t.like(aws.recorded.of('lifecycle.unfinished')[0], {
    level: 'error',
    error: 'Error: Auto Scaling did not respond within 30000 ms',
  });
});

test('a completion that fails is retried', async (t) => {
  const aws = new FakeAws();
  aws.targetState = 'Terminated';
  aws.autoScaling.completeAction = failing(aws.autoScaling.completeAction, new Error('Throttling'), 3);
  const lifecycle = await aws.start(t);
  const finished = lifecycle.finish();
  await aws.clock.advance(30_000);
  await finished;
  t.deepEqual(aws.requested, ['heartbeat drain', 'complete drain']);
  t.deepEqual(aws.recorded.of('lifecycle.unfinished'), []);
});

test('a completion whose response was lost is not repeated once the wait is over', async (t) => {
  const aws = new FakeAws();
  let completions = 0;
  aws.targetState = 'Terminated';
  aws.lifecycleState = 'Terminating:Wait';
  aws.autoScaling.completeAction = async () => {
    completions += 1;
    if (completions > 1) throw new NoActiveAction('No active Lifecycle Action found');
    aws.lifecycleState = 'Terminating:Proceed';
    throw new Error('socket hang up');
  };
  const lifecycle = await aws.start(t);
  const finished = lifecycle.finish();
  await aws.clock.advance(1000);
  await finished;
  t.is(completions, 2);
  t.is(aws.recorded.of('lifecycle.not-waited')[0]?.['lifecycleState'], 'Terminating:Proceed');
  t.is(aws.recorded.of('lifecycle.unfinished').length, 0);
});

test('an instance drained before its wait begins completes the hook when it has begun', async (t) => {
  const aws = new FakeAws();
  aws.targetState = 'Terminated';
  aws.lifecycleState = 'Terminating';
  const { completeAction } = aws.autoScaling;
  aws.autoScaling.completeAction = async (action, signal) => {
    if (aws.lifecycleState === 'Terminating') throw new NoActiveAction('No active Lifecycle Action found');
    await completeAction(action, signal);
  };
  const lifecycle = await aws.start(t);
  const finished = lifecycle.finish();
  await aws.clock.advance(5000);
  t.false(aws.requested.includes('complete drain'));
  aws.lifecycleState = 'Terminating:Wait';
  await aws.clock.advance(10_000);
  await finished;
  t.true(aws.requested.includes('complete drain'));
});

test('without a terminating hook the instance drains all the same, with a warning', async (t) => {
  const aws = new FakeAws();
  aws.targetState = 'Terminated';
  aws.hooks = [ARRIVE_HOOK];
  const lifecycle = await aws.start(t);
  t.is(aws.orders.length, 1);
  t.like(aws.recorded.of('lifecycle.no-hook')[0], { level: 'warn', groupName: 'integrators' });
  await lifecycle.finish();
  t.deepEqual(aws.requested, []);
});

test('a hook that was added after the start is honored', async (t) => {
  const aws = new FakeAws();
  aws.hooks = [];
  const lifecycle = await aws.start(t);
  aws.hooks = [DRAIN_HOOK];
  aws.targetState = 'Terminated';
  await aws.clock.advance(1000);
  await lifecycle.finish();
  t.deepEqual(aws.requested, ['heartbeat drain', 'complete drain']);
});

test('a Spot notice drains until 20 s before the announced time, termination or not', async (t) => {
  const aws = new FakeAws();
  aws.targetState = 'Terminated';
  await aws.start(t);
  aws.metadata.spotAction = async () => SPOT;
  await aws.clock.advance(1000);
  t.deepEqual(
    aws.orders.map(({ source, deadlineAtEpochMs }) => [source, deadlineAtEpochMs]),
    [
      ['lifecycle', NOW_EPOCH_MS + TERMINATION_MS],
      ['spot', NOW_EPOCH_MS + 100_000],
    ],
  );
});

test('a Spot instance that Auto Scaling terminates too sends heartbeats and completes the hook', async (t) => {
  const aws = new FakeAws();
  aws.targetState = 'Terminated';
  aws.metadata.spotAction = async () => SPOT;
  const lifecycle = await aws.start(t);
  await lifecycle.finish();
  t.deepEqual(
    aws.orders.map(({ source }) => source),
    ['spot'],
  );
  t.deepEqual(aws.requested, ['heartbeat drain', 'complete drain']);
});

test('a rebalance recommendation is logged once and changes nothing', async (t) => {
  const aws = new FakeAws();
  aws.metadata.rebalanceNotice = async () => '2030-01-01T00:00:00Z';
  await aws.start(t);
  await aws.clock.advance(10_000);
  t.deepEqual(
    aws.recorded.of('lifecycle.rebalance').map(({ noticeTime }) => noticeTime),
    ['2030-01-01T00:00:00Z'],
  );
  t.deepEqual(aws.orders, []);
});

test('one metadata value that cannot be read does not hide the others', async (t) => {
  const aws = new FakeAws();
  aws.metadata.rebalanceNotice = failing(aws.metadata.rebalanceNotice, new Error('no JSON'));
  aws.metadata.spotAction = async () => SPOT;
  await aws.start(t);
  t.is(aws.orders[0]?.source, 'spot');
});

test('a drain that cannot begin is logged and ordered again', async (t) => {
  const aws = new FakeAws();
  const { begin } = aws.drain;
  let attempts = 0;
  aws.drain.begin = (order) => {
    attempts += 1;
    if (attempts === 1) throw new Error('not now');
    begin(order);
  };
  aws.targetState = 'Terminated';
  await aws.start(t);
  t.is(aws.recorded.of('lifecycle.failed')[0]?.['error'], 'Error: not now');
  t.deepEqual(aws.requested, []);
  await aws.clock.advance(1000);
  t.is(aws.orders.length, 1);
  t.deepEqual(aws.requested, ['heartbeat drain']);
});

test('an instance outside a group is watched for Spot all the same, and finishes at once', async (t) => {
  const aws = new FakeAws();
  aws.autoScaling.findMember = async () => undefined;
  aws.metadata.spotAction = async () => SPOT;
  aws.targetState = undefined;
  const lifecycle = await aws.start(t);
  void lifecycle.ready();
  t.is(aws.orders.length, 1);
  await lifecycle.finish();
  t.deepEqual(aws.requested, []);
  await aws.clock.advance(3_600_000);
  t.is(aws.recorded.of('lifecycle.no-group').length, 1);
});

test('an instance that is not being terminated completes nothing when it exits', async (t) => {
  const aws = new FakeAws();
  const lifecycle = await aws.start(t);
  await lifecycle.finish();
  t.deepEqual(aws.requested, []);
});

test('the start and the end of a metadata outage are logged once, and announcements meanwhile are noticed', async (t) => {
  const aws = new FakeAws();
  const { targetLifecycleState } = aws.metadata;
  await aws.start(t);
  aws.metadata.targetLifecycleState = failing(targetLifecycleState, new MetadataUnavailable('not on EC2'));
  await aws.clock.advance(20 * 60_000);
  t.is(aws.recorded.of('lifecycle.metadata-lost').length, 1);
  t.is(aws.recorded.of('lifecycle.metadata-back').length, 0);
  aws.metadata.targetLifecycleState = targetLifecycleState;
  aws.targetState = 'Terminated';
  // The longest time between two attempts.
  await aws.clock.advance(5000);
  t.is(aws.recorded.of('lifecycle.metadata-back').length, 1);
  t.is(aws.orders.length, 1);
});

test('a launching instance completes the launching hook when it is ready', async (t) => {
  const aws = new FakeAws();
  aws.lifecycleState = 'Pending:Wait';
  aws.hooks = [DRAIN_HOOK, ARRIVE_HOOK];
  aws.autoScaling.completeAction = failing(aws.autoScaling.completeAction, new Error('InternalFailure'), 1);
  const lifecycle = await aws.start(t);
  const ready = lifecycle.ready();
  await aws.clock.advance(1000);
  await ready;
  t.deepEqual(aws.requested, ['complete arrive']);
});

test('an instance that is ready early completes the launching hook once it is waited for', async (t) => {
  const aws = new FakeAws();
  aws.lifecycleState = 'Pending';
  aws.hooks = [ARRIVE_HOOK];
  const { completeAction } = aws.autoScaling;
  aws.autoScaling.completeAction = async (action, signal) => {
    if (aws.lifecycleState === 'Pending') throw new NoActiveAction('No active Lifecycle Action found');
    await completeAction(action, signal);
  };
  const lifecycle = await aws.start(t);
  const ready = lifecycle.ready();
  await aws.clock.advance(1000);
  t.true(aws.recorded.of('lifecycle.retry').length > 0);
  aws.lifecycleState = 'Pending:Wait';
  await aws.clock.advance(5000);
  await ready;
  t.deepEqual(aws.requested, ['complete arrive']);
});

for (const lifecycleState of ['InService', 'Terminating:Wait']) {
  test(`an instance that is ${lifecycleState} has no launching hook to complete`, async (t) => {
    const aws = new FakeAws();
    aws.lifecycleState = lifecycleState;
    aws.hooks = [ARRIVE_HOOK];
    const lifecycle = await aws.start(t);
    await lifecycle.ready();
    t.deepEqual(aws.requested, []);
  });
}

test('once stopped, nothing more is polled or sent', async (t) => {
  const aws = new FakeAws();
  aws.targetState = 'Terminated';
  const lifecycle = await aws.start(t);
  lifecycle.stop();
  await aws.clock.advance(60_000);
  t.deepEqual(aws.requested, ['heartbeat drain']);
  t.is(aws.clock.pending, 0);
  t.deepEqual(aws.recorded.of('lifecycle.failed'), []);
});
