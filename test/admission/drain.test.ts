import test from 'ava';
import { Drain, type DrainOrder, NotCancellable } from '../../daemon/admission/drain.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HEALTH_LAG_MS = 20 * SECOND_MS;

/** A drain of `running` sessions; `end` ends some of them. */
function drainOf({ running = 3, healthLagMs = HEALTH_LAG_MS } = {}) {
  const clock = new VirtualClock();
  const { log, of } = recordedLog();
  const sessions = {
    running,
    endings: 0,
    size: () => sessions.running,
    longestCallMs: () => 60_000,
    endRemaining: () => {
      sessions.endings++;
    },
  };
  const drain = new Drain(sessions, clock, log, healthLagMs);
  const state = { drained: 0 };
  void drain.drained.then(() => {
    state.drained++;
  });
  const end = (count = sessions.running) => {
    sessions.running -= count;
    drain.check();
  };
  const order = (waitMs?: number, changes: Partial<DrainOrder> = {}) => {
    const deadlineAtEpochMs = waitMs === undefined ? undefined : clock.epoch() + waitMs;
    drain.begin({ source: 'signal', reason: 'SIGTERM', deadlineAtEpochMs, ...changes });
  };
  return { clock, drain, sessions, state, end, order, of };
}

test('a drain without a deadline waits for the last call, however long that is', async (t) => {
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
  test(`what still runs at a deadline of ${name} is ended then, and not before`, async (t) => {
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
    t.is(sessions.endings, 1, 'nothing is ended twice');
    t.like(of('drain.done'), [{ tookMs: deadlineMs }]);
  });
}

test('starts are accepted for the health lag, and refused from then on', async (t) => {
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

test('a drain of no session is over when the health lag is: until then a start may come', async (t) => {
  const { clock, state, order } = drainOf({ running: 0 });
  order();
  await clock.advance(HEALTH_LAG_MS - 1);
  t.is(state.drained, 0);
  await clock.advance(1);
  t.is(state.drained, 1);
});

test('a machine whose clock is set back during the health lag drains all the same', async (t) => {
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

test('of two deadlines the sooner counts, and the second order is the one that is shown', async (t) => {
  const { clock, drain, sessions, order, of } = drainOf();
  order(2 * HOUR_MS);
  order(HOUR_MS, { source: 'spot', reason: 'interruption' });
  t.like(drain.view(), { source: 'spot', reason: 'interruption' });
  order(3 * HOUR_MS, { source: 'lifecycle', reason: 'Terminated' });
  await clock.advance(HOUR_MS);
  t.is(sessions.endings, 1);
  t.is(of('drain.began').length, 3);
});

test('an order without a deadline keeps that of the one before', async (t) => {
  const { clock, sessions, order } = drainOf();
  order(HOUR_MS);
  order(undefined, { source: 'lifecycle' });
  await clock.advance(HOUR_MS);
  t.is(sessions.endings, 1);
});

test('operators may put off the deadline of their own drain, and take it away', async (t) => {
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

test('an operator cannot put off the deadline of a drain that others ordered', async (t) => {
  const { clock, drain, sessions, order } = drainOf();
  order(HOUR_MS);
  order(undefined, { source: 'operator' });
  order(2 * HOUR_MS, { source: 'operator' });
  t.like(drain.view(), { source: 'signal', reason: 'SIGTERM' });
  await clock.advance(HOUR_MS);
  t.is(sessions.endings, 1);
});

test('a canceled drain leaves nothing behind, and another one begins from the beginning', async (t) => {
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
  t.true(drain.acceptsStarts, 'the load balancer has forgotten the first one');
  await clock.advance(HOUR_MS);
  t.is(sessions.endings, 1);
  t.is(state.drained, 0);
});

test('only an operator’s drain can be canceled, and only before its deadline', async (t) => {
  const { clock, drain, order } = drainOf();
  t.notThrows(() => drain.cancel(), 'no drain: nothing to cancel');
  order(HOUR_MS, { source: 'operator' });
  order(HOUR_MS, { source: 'lifecycle' });
  t.throws(() => drain.cancel(), { instanceOf: NotCancellable, message: /lifecycle/ });

  const late = drainOf();
  late.order(HOUR_MS, { source: 'operator' });
  await late.clock.advance(HOUR_MS);
  t.throws(() => late.drain.cancel(), { instanceOf: NotCancellable, message: /deadline/ });
  await clock.settle();
});

test('a second signal ends what still runs at once, though starts were still accepted', async (t) => {
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

test('without a drain nothing is ended, and the end of a session means nothing', async (t) => {
  const { clock, drain, sessions, state, end } = drainOf({ running: 1 });
  drain.endRemaining();
  end();
  await clock.advance(DAY_MS);
  t.is(sessions.endings, 0);
  t.is(state.drained, 0);
});

test('an order after the drain is over changes nothing', async (t) => {
  const { clock, drain, sessions, state, order, of } = drainOf({ running: 0 });
  order();
  await clock.advance(HEALTH_LAG_MS);
  order(HOUR_MS, { source: 'lifecycle' });
  await clock.advance(HOUR_MS);
  t.is(drain.view()?.state, 'drained');
  t.is(sessions.endings, 0);
  t.is(state.drained, 1);
  t.is(of('drain.done').length, 1);
});
