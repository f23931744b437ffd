import test from 'ava';
import type { LogLevel } from '../../daemon/contract/log-levels.ts';
import { LogLevelOrder } from '../../daemon/control/log-level.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function stage() {
  const log = {
    level: 'info' as LogLevel,
    orderLevel(level: LogLevel) {
      log.level = level;
    },
  };
  const clock = new VirtualClock();
  return { log, clock, order: new LogLevelOrder(log, 'info', clock) };
}

test('a level that is ordered for a time returns to LOG_LEVEL', async (t) => {
  const { log, clock, order } = stage();
  order.order('debug', 600_000);
  t.deepEqual(order.view(), { level: 'debug', configured: 'info', untilEpochMs: clock.epoch() + 600_000 });
  await clock.advance(599_999);
  t.is(log.level, 'debug');
  await clock.advance(1);
  t.deepEqual(order.view(), { level: 'info', configured: 'info' });
});

test('a later order takes the place of an earlier one, its time included', async (t) => {
  const { log, clock, order } = stage();
  order.order('debug', 600_000);
  order.order('warn');
  await clock.advance(600_000);
  t.is(log.level, 'warn');
  t.is(clock.pending, 0);
});
