import test from 'ava';
import { Distribution } from '../../daemon/metrics/distribution.ts';
import { watchEventLoop } from '../../daemon/metrics/event-loop.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const NS_PER_MS = 1e6;

test('the worst delay of each second is recorded, less the interval of the samples', (t) => {
  const clock = new VirtualClock();
  const delays = new Distribution([100, 1000]);
  const monitor = {
    count: 0,
    max: 0,
    enable: () => true,
    disable: () => true,
    reset: () => Object.assign(monitor, { count: 0, max: 0 }),
  };
  const cancel = watchEventLoop(delays, clock, monitor);
  for (const maxMs of [45, 30, 340]) {
    Object.assign(monitor, { count: 25, max: maxMs * NS_PER_MS });
    clock.forward(999);
    t.is(monitor.count, 25);
    clock.forward(1);
  }
  // A second without a sample has no worst delay.
  clock.forward(1000);
  t.deepEqual(delays.snapshot(), { counts: [2, 1, 0], sums: [5, 300, 0] });
  cancel();
  monitor.count = 1;
  clock.forward(10_000);
  t.deepEqual(delays.snapshot().counts, [2, 1, 0]);
});
