import { mock } from 'node:test';
import test from 'ava';
import { systemClock } from '../../daemon/runtime/clock.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Mocks Node's timers and the monotonic clock; both stand still until the test advances them. */
function mockedTimers() {
  let nowMs = 1000;
  const now = mock.method(performance, 'now', () => nowMs);
  mock.timers.enable({ apis: ['setTimeout'] });
  return {
    advance(ms: number) {
      nowMs += ms;
      mock.timers.tick(ms);
    },
    restore() {
      mock.timers.reset();
      now.mock.restore();
    },
  };
}

test.serial('a deadline in 40 days, too far for one Node timer, fires after 40 days and not before', (t) => {
  const timers = mockedTimers();
  let fired = 0;
  try {
    systemClock.after(40 * DAY_MS, () => fired++);
    for (let day = 0; day < 39; day++) timers.advance(DAY_MS);
    timers.advance(DAY_MS - 1);
    t.is(fired, 0);
    timers.advance(1);
    t.is(fired, 1);
    timers.advance(40 * DAY_MS);
    t.is(fired, 1);
  } finally {
    timers.restore();
  }
});

test.serial('a deadline in 40 days can be canceled after 30', (t) => {
  const timers = mockedTimers();
  let fired = 0;
  try {
    const cancel = systemClock.after(40 * DAY_MS, () => fired++);
    for (let day = 0; day < 30; day++) timers.advance(DAY_MS);
    cancel();
    timers.advance(20 * DAY_MS);
    t.is(fired, 0);
  } finally {
    timers.restore();
  }
});
