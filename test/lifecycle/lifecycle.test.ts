import test, { type ExecutionContext } from 'ava';
import { NoActiveAction } from '../../daemon/lifecycle/auto-scaling.ts';
import { MetadataRefused, MetadataUnavailable } from '../../daemon/lifecycle/metadata.ts';
import { startLifecycle } from '../../daemon/lifecycle/start-lifecycle.ts';
import { DEADLINE_MS, DRAIN_HOOK, MEMBER, NOW_EPOCH_MS, surroundings, until } from './surroundings.ts';

const SPOT = { action: 'terminate', atEpochMs: NOW_EPOCH_MS + 120_000 };

/** Starts it in these surroundings; it stops with the test. */
async function started(t: ExecutionContext, changes: Parameters<typeof surroundings>[0]) {
  const around = surroundings(changes);
  const lifecycle = await startLifecycle(around.options);
  t.teardown(() => lifecycle.stop());
  return { ...around, lifecycle };
}

const fails = (error: Error) => async () => {
  throw error;
};

test('without a metadata service it is off, and everything is done at once', async (t) => {
  for (const absence of [new MetadataUnavailable('nobody is there'), new MetadataRefused('a token', 403)]) {
    const { lifecycle, book, asked } = await started(t, { metadata: { instanceId: fails(absence) } });
    t.deepEqual(lifecycle.view(), { on: false });
    await lifecycle.ready();
    await lifecycle.finish();
    t.deepEqual(asked, []);
    t.deepEqual(
      book.lines.map((line) => [line['level'], line['event']]),
      [['info', 'lifecycle.off']],
    );
  }
});

test('one lost answer at the start does not switch it off', async (t) => {
  let questions = 0;
  const instanceId = async () => {
    questions += 1;
    if (questions === 1) throw new MetadataUnavailable('nothing came within 1000 ms');
    return 'i-1';
  };
  const { lifecycle } = await started(t, { metadata: { instanceId } });
  t.true(lifecycle.view().on);
});

test('a metadata service in trouble at the start is asked again', async (t) => {
  let questions = 0;
  const instanceId = async () => {
    questions += 1;
    if (questions < 3) throw new MetadataRefused('meta-data/instance-id', 503);
    return 'i-1';
  };
  const { lifecycle, book } = await started(t, { metadata: { instanceId } });
  await book.until('lifecycle.on');
  t.like(lifecycle.view(), { on: true, instanceId: 'i-1', groupName: 'integrators' });
});

test('Auto Scaling taking the instance begins one drain, with the usual deadline', async (t) => {
  let looks = 0;
  const targetLifecycleState = async () => {
    looks += 1;
    return 'Terminated';
  };
  const { lifecycle, orders, asked } = await started(t, { metadata: { targetLifecycleState } });
  await until(() => looks === 3);
  t.deepEqual(orders, [
    {
      source: 'lifecycle',
      reason: 'Auto Scaling terminates this instance',
      deadlineAtEpochMs: NOW_EPOCH_MS + DEADLINE_MS,
    },
  ]);
  t.is(lifecycle.view().state, 'Terminated');
  await lifecycle.finish();
  t.deepEqual(asked, ['heartbeat', 'complete']);
});

test('a Spot notice brings the deadline of a drain that has begun forward', async (t) => {
  let isNoticed = false;
  const { orders } = await started(t, {
    metadata: {
      targetLifecycleState: async () => 'Terminated',
      spotAction: async () => (isNoticed ? SPOT : undefined),
    },
  });
  await until(() => orders.length === 1);
  isNoticed = true;
  await until(() => orders.length === 2);
  t.deepEqual(
    orders.map(({ source, deadlineAtEpochMs }) => [source, deadlineAtEpochMs]),
    [
      ['lifecycle', NOW_EPOCH_MS + DEADLINE_MS],
      ['spot', NOW_EPOCH_MS + 100_000],
    ],
  );
});

test('of a Spot notice and a termination in one look, the deadline of Spot counts', async (t) => {
  const { orders, asked, lifecycle } = await started(t, {
    metadata: { targetLifecycleState: async () => 'Terminated', spotAction: async () => SPOT },
  });
  await until(() => asked.includes('heartbeat'));
  t.deepEqual(
    orders.map(({ source }) => source),
    ['spot'],
  );
  await lifecycle.finish();
  t.true(asked.includes('complete'));
});

test('a rebalance recommendation is told of once and changes nothing', async (t) => {
  let looks = 0;
  const rebalanceNotice = async () => {
    looks += 1;
    return '2030-01-01T00:00:00Z';
  };
  const { orders, book } = await started(t, { metadata: { rebalanceNotice } });
  await until(() => looks === 3);
  t.is(book.of('lifecycle.rebalance').length, 1);
  t.deepEqual(orders, []);
});

test('one question that fails does not hide the answers to the others', async (t) => {
  const { orders } = await started(t, {
    metadata: { rebalanceNotice: fails(new Error('no JSON')), spotAction: async () => SPOT },
  });
  await until(() => orders.length === 1);
  t.is(orders[0]?.source, 'spot');
});

test('a drain that cannot begin is reported and ordered again', async (t) => {
  let attempts = 0;
  const { book } = await started(t, {
    metadata: { targetLifecycleState: async () => 'Terminated' },
    drain: {
      begin: () => {
        attempts += 1;
        if (attempts === 1) throw new Error('not now');
      },
    },
  });
  await until(() => attempts === 2);
  t.is(book.of('lifecycle.failed')[0]?.['error'], 'Error: not now');
});

test('an instance outside a group is watched for Spot all the same, and finishes at once', async (t) => {
  const { lifecycle, orders, asked } = await started(t, {
    metadata: { spotAction: async () => SPOT },
    autoScaling: { findMember: async () => undefined },
  });
  await until(() => orders.length === 1);
  await lifecycle.ready();
  await lifecycle.finish();
  t.deepEqual(asked, []);
});

test('an answer that was lost does not make it complete a wait that is over', async (t) => {
  let completions = 0;
  let lifecycleState = 'Terminating:Wait';
  const { lifecycle, book, asked } = await started(t, {
    metadata: { targetLifecycleState: async () => 'Terminated' },
    autoScaling: {
      findMember: async () => ({ ...MEMBER, lifecycleState }),
      completeAction: async () => {
        completions += 1;
        if (completions > 1) throw new NoActiveAction('No active Lifecycle Action found');
        lifecycleState = 'Terminating:Proceed';
        throw new Error('socket hang up');
      },
    },
  });
  await until(() => asked.includes('heartbeat'));
  await lifecycle.finish();
  t.is(completions, 2);
  t.is(book.of('lifecycle.not-waited')[0]?.['lifecycleState'], 'Terminating:Proceed');
  t.is(book.of('lifecycle.unfinished').length, 0);
});

test('an instance that nobody terminates completes nothing when it leaves', async (t) => {
  const { lifecycle, book, asked } = await started(t, {});
  await book.until('lifecycle.on');
  await lifecycle.finish();
  t.deepEqual(asked, []);
});

test('an Auto Scaling that fails at the start is asked again without an end', async (t) => {
  let questions = 0;
  const { book, lifecycle } = await started(t, {
    autoScaling: {
      findMember: async () => {
        questions += 1;
        if (questions < 4) throw new Error('AccessDenied');
        return MEMBER;
      },
    },
  });
  await book.until('lifecycle.on');
  t.is(book.of('lifecycle.retry').length, 3);
  t.is(lifecycle.view().groupName, 'integrators');
});

test('a metadata service that is away is told of once, and when it is back', async (t) => {
  let looks = 0;
  const targetLifecycleState = async () => {
    looks += 1;
    if (looks <= 3) throw new MetadataUnavailable('nobody is there');
    return 'InService';
  };
  const { book } = await started(t, { metadata: { targetLifecycleState } });
  const [back] = await book.until('lifecycle.metadata-back');
  t.is(back?.['failures'], 3);
  t.is(book.of('lifecycle.metadata-lost').length, 1);
});

test('an instance that is ready before its launch waits is let into service once it does', async (t) => {
  let lifecycleState = 'Pending';
  const completed: string[] = [];
  const { lifecycle, book } = await started(t, {
    autoScaling: {
      findMember: async () => ({ ...MEMBER, lifecycleState }),
      listHooks: async () => [DRAIN_HOOK, { ...DRAIN_HOOK, name: 'arrive', transition: 'launching' }],
      completeAction: async ({ hookName }) => {
        if (lifecycleState === 'Pending') throw new NoActiveAction('No active Lifecycle Action found');
        completed.push(hookName);
      },
    },
  });
  const ready = lifecycle.ready();
  await book.until('lifecycle.retry');
  lifecycleState = 'Pending:Wait';
  await ready;
  t.deepEqual(completed, ['arrive']);
});
