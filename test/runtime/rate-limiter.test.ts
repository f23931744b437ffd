import test from 'ava';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { RateLimiter } from '../../daemon/runtime/rate-limiter.ts';

const NEVER = new AbortController().signal;

test('however many come at once, they go through one by one, in their order', async (t) => {
  const rateLimiter = new RateLimiter(20, systemClock);
  const passed: number[] = [];
  const pass = async (index: number) => {
    await rateLimiter.acquire(NEVER);
    passed.push(index);
  };
  const beganMs = systemClock.now();
  await Promise.all(Array.from({ length: 8 }, (_, index) => pass(index)));
  t.deepEqual(passed, [0, 1, 2, 3, 4, 5, 6, 7]);
  // A slow machine only makes it slower; Node's timers are early by as much as the event loop was held up before.
  const tookMs = systemClock.now() - beganMs;
  t.true(tookMs >= 7 * 20 * 0.5, `${tookMs} ms`);
});

test('who gives up does not go through, and those behind do', async (t) => {
  const rateLimiter = new RateLimiter(20, systemClock);
  const impatient = new AbortController();
  await rateLimiter.acquire(NEVER);
  const given = t.throwsAsync(rateLimiter.acquire(impatient.signal), { name: 'AbortError' });
  const behind = rateLimiter.acquire(NEVER);
  impatient.abort();
  await given;
  await t.notThrowsAsync(behind);
});
