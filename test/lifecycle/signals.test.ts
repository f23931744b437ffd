import test from 'ava';
import type { DrainOrder } from '../../daemon/admission/orders.ts';
import { obeySignals } from '../../daemon/lifecycle/signals.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const HOUR_MS = 3_600_000;

function stage(deadlineMs: number) {
  const clock = new VirtualClock();
  const orders: (DrainOrder | 'end now')[] = [];
  const listeners = new Map<string, () => void>();
  const drain = {
    begin: (order: DrainOrder) => {
      orders.push(order);
    },
    endRemaining: () => {
      orders.push('end now');
    },
  };
  obeySignals({ drain, clock, deadlineMs }, (signal, listener) => listeners.set(signal, listener));
  return { clock, orders, send: (signal: string) => listeners.get(signal)?.() };
}

test('SIGTERM drains until the deadline', (t) => {
  const { clock, orders, send } = stage(HOUR_MS);
  send('SIGTERM');
  t.deepEqual(orders, [{ source: 'signal', reason: 'SIGTERM', deadlineAtEpochMs: clock.epoch() + HOUR_MS }]);
});

test('a setting of 0 means no deadline', (t) => {
  const { orders, send } = stage(0);
  send('SIGTERM');
  t.like(orders[0], { deadlineAtEpochMs: undefined });
});

test('SIGINT, or a second signal, ends running sessions now', (t) => {
  const { orders: interrupted, send: interrupt } = stage(HOUR_MS);
  interrupt('SIGINT');
  t.is(interrupted.at(-1), 'end now');
  const { orders, send } = stage(HOUR_MS);
  send('SIGTERM');
  send('SIGTERM');
  t.is(orders.at(-1), 'end now');
});
