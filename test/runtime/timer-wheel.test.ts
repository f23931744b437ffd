import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import type { Millis } from '../../daemon/runtime/clock.ts';
import { Timer, TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const TICK_MS = 20;
/** What the wheel holds at once. */
const ROUND_MS = 128 * TICK_MS;

function at(timers: TimerWheel, dueMs: Millis, task: () => void): Timer {
  const timer = new Timer(task);
  timers.set(timer, dueMs);
  return timer;
}

function withTimers(use: (clock: VirtualClock, timers: TimerWheel) => void): void {
  const clock = new VirtualClock();
  use(clock, new TimerWheel(clock));
}

test('each task runs once, at the first tick after it is due, however its time and the clock advance', (t) => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 61, max: 9000 })), {
    minLength: 1,
    maxLength: 30,
  });
  const tasks = fc.array(fc.record({ afterSteps: fc.nat(29), inMs: fc.integer({ min: -500, max: 9000 }) }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(steps, tasks, (goes, all) => {
      withTimers((clock, timers) => {
        const ran = all.map(() => 0);
        let beforeMs = clock.now();
        const register = (step: number) => {
          for (const [i, { afterSteps, inMs }] of all.entries()) {
            if (afterSteps % goes.length !== step) continue;
            const sinceMs = clock.now();
            const dueMs = sinceMs + inMs;
            at(timers, dueMs, () => {
              ran[i] = (ran[i] ?? 0) + 1;
              t.true(clock.now() >= dueMs);
              // At the previous check it was one tick from due, or not set yet.
              t.true(beforeMs < Math.max(dueMs, sinceMs) + 2 * TICK_MS, `${clock.now() - dueMs} ms late`);
            });
          }
        };
        for (const [step, ms] of goes.entries()) {
          register(step);
          beforeMs = clock.now();
          clock.stall(ms);
        }
        for (let i = 0; i < 10_000 / TICK_MS; i++) {
          beforeMs = clock.now();
          clock.stall(TICK_MS);
        }
        t.true(ran.every((times) => times === 1));
      });
    }),
    { numRuns: 150 },
  );
});

test('a task due beyond the wheel’s span stays on the wheel until it is due', (t) => {
  withTimers((clock, timers) => {
    let ran = false;
    at(timers, clock.now() + 3 * ROUND_MS, () => {
      ran = true;
    });
    clock.forward(3 * ROUND_MS - TICK_MS);
    t.false(ran);
    clock.forward(TICK_MS);
    t.true(ran);
  });
});

test('a canceled task does not run, near or far, even when a task of the same tick cancels it', (t) => {
  withTimers((clock, timers) => {
    const ran: string[] = [];
    const dueMs = clock.now() + 100;
    const near = at(timers, dueMs, () => ran.push('near'));
    const far = at(timers, clock.now() + 2 * ROUND_MS, () => ran.push('far'));
    at(timers, dueMs, () => timers.cancel(late));
    const late = at(timers, dueMs, () => ran.push('late'));
    at(timers, dueMs, () => ran.push('kept'));
    timers.cancel(near);
    timers.cancel(far);
    clock.forward(3 * ROUND_MS);
    t.deepEqual(ran, ['kept']);
  });
});

test('a timer that is set again while it waits runs once, at the new time', (t) => {
  withTimers((clock, timers) => {
    const ran: string[] = [];
    const beganMs = clock.now();
    const [on, off, gone] = ['on', 'off', 'gone'].map((name) => new Timer(() => ran.push(`${name} ${clock.now()}`)));
    for (const timer of [on, off, gone] as Timer[]) timers.set(timer, beganMs + 100);
    timers.set(on as Timer, beganMs + 2 * ROUND_MS);
    timers.set(off as Timer, beganMs + 2 * TICK_MS);
    timers.cancel(gone as Timer);
    clock.forward(ROUND_MS);
    timers.set(gone as Timer, clock.now() + 2 * TICK_MS);
    clock.forward(2 * ROUND_MS);
    t.deepEqual(ran, [
      `off ${beganMs + 2 * TICK_MS}`,
      `gone ${beganMs + ROUND_MS + 2 * TICK_MS}`,
      `on ${beganMs + 2 * ROUND_MS}`,
    ]);
  });
});

test('a task may register itself again, and keeps its rhythm', (t) => {
  withTimers((clock, timers) => {
    const ran: Millis[] = [];
    const again = () => {
      ran.push(clock.now());
      if (ran.length < 5) at(timers, clock.now() + 100, again);
    };
    const beganMs = clock.now();
    at(timers, beganMs + 100, again);
    clock.forward(2000);
    t.deepEqual(
      ran,
      [100, 200, 300, 400, 500].map((ms) => beganMs + ms),
    );
  });
});

test('a task that registers an overdue one does not block the thread', (t) => {
  withTimers((clock, timers) => {
    let ran = 0;
    const again = () => {
      ran++;
      at(timers, clock.now(), again);
    };
    at(timers, clock.now(), again);
    clock.forward(TICK_MS);
    t.is(ran, 1);
    clock.forward(TICK_MS);
    t.is(ran, 2);
  });
});

for (const heldUpMs of [TICK_MS + 1, ROUND_MS - 1, ROUND_MS, ROUND_MS + 1, 10 * ROUND_MS]) {
  test(`a loop that was held up for ${heldUpMs} ms runs what is due by then at once, and nothing else`, (t) => {
    withTimers((clock, timers) => {
      const ran: Millis[] = [];
      const beganMs = clock.now();
      const dueMs = Array.from({ length: 40 }, (_, i) => beganMs + Math.round((heldUpMs * (i + 1)) / 20));
      for (const ms of dueMs) at(timers, ms, () => ran.push(ms));
      clock.stall(heldUpMs);
      const nowMs = beganMs + heldUpMs;
      const lastTickMs = nowMs - TICK_MS;
      t.true(ran.every((ms) => ms <= nowMs));
      t.deepEqual(
        ran.toSorted((a, b) => a - b).filter((ms) => ms <= lastTickMs),
        dueMs.filter((ms) => ms <= lastTickMs),
      );
      clock.forward(heldUpMs + 2 * TICK_MS);
      t.deepEqual(
        ran.toSorted((a, b) => a - b),
        dueMs,
      );
    });
  });
}

test('time in which the process stands still for a second and more is known', (t) => {
  withTimers((clock, timers) => {
    const startMs = clock.now();
    timers.every(500, () => {});
    clock.forward(10_000);
    clock.stall(900);
    clock.forward(10_000);
    t.is(timers.stalledMs, 0);
    clock.stall(18_000);
    t.true(Math.abs(timers.stalledMs - 18_000) <= 2 * TICK_MS, `${timers.stalledMs}`);
    clock.forward(5000);
    clock.stall(3000);
    t.true(Math.abs(timers.stalledMs - 21_000) <= 4 * TICK_MS, `${timers.stalledMs}`);
    t.is(timers.awakeMs, clock.now() - timers.stalledMs);
    t.true(timers.awakeMs - startMs < 27_000);
  });
});

test('it starts again after it has stood still', (t) => {
  withTimers((clock, timers) => {
    const ran: string[] = [];
    at(timers, clock.now() + 50, () => ran.push('first'));
    clock.forward(200);
    // Without timers, time passes without a tick.
    clock.forward(100_000);
    at(timers, clock.now() + 50, () => ran.push('second'));
    t.deepEqual(ran, ['first']);
    clock.forward(60);
    t.deepEqual(ran, ['first', 'second']);
  });
});

test('a thread that only computes is busy, one that waits is not, and neither is believed at once', (t) => {
  const clock = new VirtualClock();
  let cpuMs = 0;
  const timers = new TimerWheel(clock, () => cpuMs);
  const loads: number[] = [];
  for (let i = 0; i < 4; i++) {
    cpuMs += 500;
    clock.forward(500);
    loads.push(timers.load);
  }
  t.deepEqual(loads, [0.5, 0.75, 0.875, 0.9375]);
  t.is(timers.load, 0.9375, 'asked again at the same time it is the same');
  for (let i = 0; i < 5; i++) {
    clock.forward(500);
    t.true(timers.load < (loads.at(-1) as number));
    loads.push(timers.load);
  }
  t.true(timers.load < 0.05);
});

test('a program ends once nothing waits on its timers any more', async (t) => {
  const program = `
    import { systemClock } from '${new URL('../../daemon/runtime/clock.ts', import.meta.url)}';
    import { Timer, TimerWheel } from '${new URL('../../daemon/runtime/timer-wheel.ts', import.meta.url)}';
    const timers = new TimerWheel(systemClock);
    const timer = new Timer(() => console.log('cancelled'));
    timers.set(timer, systemClock.now() + 50);
    timers.set(new Timer(() => console.log('ran')), systemClock.now() + 30);
    timers.cancel(timer);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  t.is(stdout, 'ran\n');
});
