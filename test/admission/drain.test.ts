import test from 'ava';
import { Drain, NotCancellable } from '../../daemon/admission/drain.ts';
import type { DrainOrder, DrainRecord } from '../../daemon/admission/orders.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HEALTH_LAG_MS = 20 * SECOND_MS;

/** A drain with `running` sessions. `end` ends some of them, `order` orders a drain with a deadline in `waitMs`. */
function drainOf({ running = 3, healthLagMs = HEALTH_LAG_MS, isChecked = true } = {}) {
  const clock = new VirtualClock();
  const { log, of } = recordedLog();
  const sessions = {
    running,
    endings: 0,
    size: () => sessions.running,
    longestCallMs: () => 60_000,
    mayBeSent: () => isChecked,
    endRemaining: () => {
      sessions.endings++;
    },
  };
  const store = {
    record: undefined as DrainRecord | undefined,
    save: async (record: DrainRecord) => {
      store.record = record;
    },
    clear: async () => {
      store.record = undefined;
    },
  };
  const drain = new Drain(sessions, clock, log, healthLagMs, store);
  const state = { drained: 0, isPastDeadline: false };
  void drain.drained.then(() => {
    state.drained++;
  });
  void drain.pastDeadline.then(() => {
    state.isPastDeadline = true;
  });
  const end = (count = sessions.running) => {
    sessions.running -= count;
    drain.check();
  };
  const order = (waitMs?: number, changes: Partial<DrainOrder> = {}) => {
    const deadlineAtEpochMs = waitMs === undefined ? undefined : clock.epoch() + waitMs;
    drain.begin({ source: 'signal', reason: 'SIGTERM', deadlineAtEpochMs, ...changes });
  };
  return { clock, drain, sessions, state, store, end, order, of };
}

test('a drain without a deadline waits for the last call, however long it takes', async (t) => {
  const { clock, drain, sessions, state, end, order } = drainOf();
  order();
  t.true(drain.isDraining);
  await clock.advance(30 * DAY_MS);
  end(2);
  await clock.advance(SECOND_MS);
  t.is(state.drained, 0);
  end();
  await clock.settle();
  t.is(state.drained, 1);
  t.is(sessions.endings, 0);
  t.is(clock.pending, 0);
});

for (const [name, deadlineMs] of [
  ['two hours', 2 * HOUR_MS],
  ['40 days', 40 * DAY_MS],
] as const) {
  test(`a drain with a deadline of ${name} ends the remaining sessions then, not before`, async (t) => {
    const { clock, drain, sessions, state, end, order, of } = drainOf();
    order(deadlineMs);
    await clock.advance(deadlineMs - 1);
    t.is(sessions.endings, 0);
    t.is(drain.view()?.state, 'draining');
    await clock.advance(1);
    t.is(sessions.endings, 1);
    t.is(drain.view()?.state, 'ending-rest');
    t.like(of('drain.deadline'), [{ level: 'warn', sessions: 3 }]);
    end();
    await clock.advance(DAY_MS);
    t.is(drain.view()?.state, 'drained');
    t.is(state.drained, 1);
    t.is(sessions.endings, 1, 'only once');
    t.like(of('drain.done'), [{ tookMs: deadlineMs }]);
  });
}

test('starts are accepted during the health lag, then refused', async (t) => {
  const { clock, drain, order } = drainOf();
  t.true(drain.acceptsStarts);
  order();
  t.is(drain.view()?.takesStartsUntilEpochMs, clock.epoch() + HEALTH_LAG_MS);
  await clock.advance(HEALTH_LAG_MS - 1);
  t.true(drain.acceptsStarts);
  await clock.advance(1);
  t.false(drain.acceptsStarts);
});

test('without a health lag starts are refused at once', (t) => {
  const { drain, order } = drainOf({ healthLagMs: 0 });
  order();
  t.false(drain.acceptsStarts);
});

test('a drain without sessions waits for the health lag, because starts are still accepted', async (t) => {
  const { clock, state, order } = drainOf({ running: 0 });
  order();
  await clock.advance(HEALTH_LAG_MS - 1);
  t.is(state.drained, 0);
  await clock.advance(1);
  t.is(state.drained, 1);
});

test('setting the machine’s clock back during the health lag does not delay the drain', async (t) => {
  const { clock, state, order } = drainOf({ running: 0 });
  order();
  clock.setEpoch(clock.epoch() - HOUR_MS);
  await clock.advance(HEALTH_LAG_MS);
  t.is(state.drained, 1);
});

test('a session that ends during the health lag does not end the drain', async (t) => {
  const { clock, state, end, order } = drainOf({ running: 1 });
  order();
  end();
  await clock.advance(HEALTH_LAG_MS - 1);
  t.is(state.drained, 0);
  await clock.advance(1);
  t.is(state.drained, 1);
});

test('the earlier of two deadlines applies, and the view shows the latest order', async (t) => {
  const { clock, drain, sessions, order, of } = drainOf();
  order(2 * HOUR_MS);
  order(HOUR_MS, { source: 'spot', reason: 'interruption' });
  t.like(drain.view(), { source: 'spot', reason: 'interruption' });
  order(3 * HOUR_MS, { source: 'lifecycle', reason: 'Terminated' });
  await clock.advance(HOUR_MS);
  t.is(sessions.endings, 1);
  t.is(of('drain.began').length, 3);
});

test('an order without a deadline keeps the existing deadline', async (t) => {
  const { clock, sessions, order } = drainOf();
  order(HOUR_MS);
  order(undefined, { source: 'lifecycle' });
  await clock.advance(HOUR_MS);
  t.is(sessions.endings, 1);
});

test('an operator can extend and remove the deadline of an operator’s drain', async (t) => {
  const { clock, drain, sessions, order } = drainOf();
  order(HOUR_MS, { source: 'operator' });
  order(2 * HOUR_MS, { source: 'operator' });
  await clock.advance(2 * HOUR_MS - 1);
  t.is(sessions.endings, 0);
  order(undefined, { source: 'operator' });
  await clock.advance(DAY_MS);
  t.is(sessions.endings, 0);
  t.is(drain.view()?.deadlineAtEpochMs, null);
});

test('an operator cannot extend the deadline of a drain from another source', async (t) => {
  const { clock, drain, sessions, order } = drainOf();
  order(HOUR_MS);
  order(undefined, { source: 'operator' });
  order(2 * HOUR_MS, { source: 'operator' });
  t.like(drain.view(), { source: 'signal', reason: 'SIGTERM' });
  await clock.advance(HOUR_MS);
  t.is(sessions.endings, 1);
});

test('a canceled drain leaves no timers, and the next drain starts over', async (t) => {
  const { clock, drain, sessions, state, order, of } = drainOf();
  order(HOUR_MS, { source: 'operator' });
  await clock.advance(HEALTH_LAG_MS);
  drain.cancel();
  t.false(drain.isDraining);
  t.true(drain.acceptsStarts);
  t.is(drain.view(), undefined);
  t.is(of('drain.cancelled').length, 1);
  t.is(clock.pending, 0);
  await clock.advance(DAY_MS);
  t.is(sessions.endings, 0);
  order(HOUR_MS, { source: 'operator' });
  t.true(drain.acceptsStarts, 'with its own health lag');
  await clock.advance(HOUR_MS);
  t.is(sessions.endings, 1);
  t.is(state.drained, 0);
});

test('only an operator’s drain can be canceled, and only before its deadline', async (t) => {
  const { clock, drain, order } = drainOf();
  t.notThrows(() => drain.cancel(), 'without a drain it does nothing');
  order(HOUR_MS, { source: 'operator' });
  order(HOUR_MS, { source: 'lifecycle' });
  t.throws(() => drain.cancel(), { instanceOf: NotCancellable, message: /lifecycle/ });

  const late = drainOf();
  late.order(HOUR_MS, { source: 'operator' });
  await late.clock.advance(HOUR_MS);
  t.throws(() => late.drain.cancel(), { instanceOf: NotCancellable, message: /deadline/ });
  await clock.settle();
});

test('a second signal ends the remaining sessions at once, even during the health lag', async (t) => {
  const { clock, drain, sessions, state, end, order } = drainOf();
  order(HOUR_MS);
  drain.endRemaining();
  drain.endRemaining();
  t.is(sessions.endings, 1);
  t.false(drain.acceptsStarts);
  end();
  await clock.settle();
  t.is(state.drained, 1);
  t.is(clock.pending, 0);
});

test('without a drain nothing is ended or drained', async (t) => {
  const { clock, drain, sessions, state, end } = drainOf({ running: 1 });
  drain.endRemaining();
  end();
  await clock.advance(DAY_MS);
  t.is(sessions.endings, 0);
  t.is(state.drained, 0);
});

test('after the last call, a nearer deadline or a second signal still hurries what is left to do', async (t) => {
  for (const hurry of ['order', 'signal'] as const) {
    const { clock, drain, sessions, state, order, of } = drainOf({ running: 0 });
    order();
    await clock.advance(HEALTH_LAG_MS);
    t.is(drain.view()?.state, 'drained');
    await clock.advance(DAY_MS);
    t.false(state.isPastDeadline);
    if (hurry === 'order') order(HOUR_MS, { source: 'spot' });
    else drain.endRemaining();
    await clock.advance(hurry === 'order' ? HOUR_MS - 1 : 0);
    t.is(state.isPastDeadline, hurry === 'signal');
    await clock.advance(1);
    t.true(state.isPastDeadline);
    t.is(drain.view()?.state, 'drained');
    t.is(sessions.endings, 0);
    t.is(state.drained, 1);
    t.is(of('drain.done').length, 1);
    t.is(clock.pending, 0);
  }
});

test('maintenance that is called off ends its drain, unless another source ordered one too', async (t) => {
  const { clock, drain, order } = drainOf();
  order(HOUR_MS, { source: 'maintenance' });
  drain.withdraw('maintenance');
  t.false(drain.isDraining);
  drain.withdraw('maintenance');
  order(HOUR_MS, { source: 'maintenance' });
  order(2 * HOUR_MS, { source: 'operator' });
  t.throws(() => drain.cancel(), { instanceOf: NotCancellable, message: /maintenance/ });
  drain.withdraw('maintenance');
  t.like(drain.view(), { source: 'operator', deadlineAtEpochMs: clock.epoch() + 2 * HOUR_MS });
  drain.cancel();
  t.false(drain.isDraining);
  t.is(clock.pending, 0);
});

test('maintenance that moves takes its deadline along, and past it nothing is withdrawn', async (t) => {
  const { clock, drain, sessions, order } = drainOf();
  order(HOUR_MS, { source: 'maintenance' });
  order(2 * HOUR_MS, { source: 'maintenance' });
  await clock.advance(2 * HOUR_MS - 1);
  t.is(sessions.endings, 0);
  await clock.advance(1);
  t.is(sessions.endings, 1);
  drain.withdraw('maintenance');
  t.true(drain.isDraining);
});

test('a restart does not grant a termination a new deadline or a new health lag', async (t) => {
  const before = drainOf();
  before.order(HOUR_MS, { source: 'lifecycle' });
  const record = before.store.record as DrainRecord;

  const { clock, drain, sessions, order } = drainOf();
  await clock.advance(HOUR_MS / 2);
  drain.restore(record);
  t.false(drain.isDraining, 'Auto Scaling announces it again');
  order(HOUR_MS, { source: 'lifecycle' });
  t.false(drain.acceptsStarts);
  await clock.advance(HOUR_MS / 2 - 1);
  t.is(sessions.endings, 0);
  await clock.advance(1);
  t.is(sessions.endings, 1);
});

test('a restart continues an operator’s drain, and one past its deadline ends the rest at once', async (t) => {
  const before = drainOf();
  before.order(HOUR_MS, { source: 'operator', reason: 'update' });
  const { clock, drain, sessions, state, end } = drainOf();
  await clock.advance(2 * HOUR_MS);
  drain.restore(before.store.record as DrainRecord);
  t.like(drain.view(), { source: 'operator', reason: 'update' });
  await clock.advance(0);
  t.is(sessions.endings, 1);
  end();
  await clock.settle();
  t.is(state.drained, 1);
});

test('a signal was meant for the process that is gone: a restart serves', (t) => {
  const before = drainOf();
  before.order(HOUR_MS, { source: 'operator' });
  before.order(HOUR_MS, { source: 'signal' });
  const { drain } = drainOf();
  drain.restore(before.store.record as DrainRecord);
  t.false(drain.isDraining);
});

test('the record of a drain is removed when nothing is left to do', async (t) => {
  const { clock, drain, store, end, order } = drainOf();
  order(HOUR_MS, { source: 'operator' });
  t.is(store.record?.orders.length, 1);
  drain.cancel();
  t.is(store.record, undefined);
  order(HOUR_MS, { source: 'lifecycle' });
  await clock.advance(HEALTH_LAG_MS);
  end();
  t.is(drain.view()?.state, 'drained');
  t.like(store.record, { orders: [{ source: 'lifecycle' }] });
  drain.finish();
  t.is(store.record, undefined);
  t.is(clock.pending, 0);
});

test('a crash after the last call continues an operator’s drain', async (t) => {
  const before = drainOf({ running: 0 });
  before.order(undefined, { source: 'operator' });
  await before.clock.advance(HEALTH_LAG_MS);
  t.is(before.drain.view()?.state, 'drained');
  const { clock, drain, state } = drainOf({ running: 0 });
  await clock.advance(HEALTH_LAG_MS);
  drain.restore(before.store.record as DrainRecord);
  t.false(drain.acceptsStarts);
  await clock.advance(0);
  t.is(state.drained, 1);
});

test('an idle daemon without requests drains at once', async (t) => {
  const { clock, drain, state, order } = drainOf({ running: 0, isChecked: false });
  order();
  t.is(drain.view()?.takesStartsUntilEpochMs, clock.epoch());
  await clock.advance(0);
  t.is(state.drained, 1);
});

test('with a session, or with a balancer that checks it, a daemon waits for the health lag', async (t) => {
  for (const { running, isChecked } of [
    { running: 1, isChecked: false },
    { running: 0, isChecked: true },
  ]) {
    const { clock, state, end, order } = drainOf({ running, isChecked });
    order();
    end();
    await clock.advance(HEALTH_LAG_MS - 1);
    t.is(state.drained, 0);
    await clock.advance(1);
    t.is(state.drained, 1);
  }
});
