import test from 'ava';
import { RateLimiter } from '../../daemon/runtime/rate-limiter.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const NEVER = new AbortController().signal;

test('requests that come at once are granted one per interval, in their order', async (t) => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(20, clock);
  const beganMs = clock.now();
  const granted: [index: number, atMs: number][] = [];
  for (let index = 0; index < 8; index++) {
    void limiter.acquire(NEVER).then(() => granted.push([index, clock.now() - beganMs]));
  }
  await clock.advance(1000);
  t.deepEqual(
    granted,
    [0, 1, 2, 3, 4, 5, 6, 7].map((index) => [index, index * 20]),
  );
});

test('a caller that gives up is rejected with its signal’s reason, and the ones behind it are granted', async (t) => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(20, clock);
  const impatient = new AbortController();
  await limiter.acquire(NEVER);
  const given = t.throwsAsync(limiter.acquire(impatient.signal), { name: 'AbortError' });
  const behind = limiter.acquire(NEVER);
  impatient.abort();
  await given;
  await clock.advance(40);
  await t.notThrowsAsync(behind);
});

test('it is free again one interval after the last turn', async (t) => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(20, clock);
  t.true(limiter.isFree);
  await limiter.acquire(NEVER);
  t.false(limiter.isFree);
  await clock.advance(20);
  t.true(limiter.isFree);
});

test('callers that give up yield their turns to those behind them', async (t) => {
  const clock = new VirtualClock();
  const limiter = new RateLimiter(20, clock);
  const impatient = new AbortController();
  await limiter.acquire(NEVER);
  const given = Array.from({ length: 1000 }, () => t.throwsAsync(limiter.acquire(impatient.signal)));
  const behind = limiter.acquire(NEVER);
  impatient.abort();
  await Promise.all(given);
  await clock.advance(20);
  await t.notThrowsAsync(behind);
});
