import test from 'ava';
import { deadlineMs, PATIENCE, pauseMs } from '../../trigger/patience.ts';

const LONG = 1_000_000;

test('the budget counts from the start of the invocation', (t) => {
  t.is(deadlineMs(1000, PATIENCE, undefined), 1000 + PATIENCE.budgetMs);
  t.is(deadlineMs(1000, PATIENCE, 15_000), 1000 + PATIENCE.budgetMs);
});

test('a function that is nearly out of time answers before Lambda ends it', (t) => {
  const deadline = deadlineMs(1000, PATIENCE, 3000);
  t.true(deadline < 1000 + 3000);
  t.true(deadline > 1000);
});

test('pauses double up to the longest', (t) => {
  const pauses = [1, 2, 3, 4, 5, 50].map((attempt) =>
    pauseMs(attempt, { retryAfterMs: 0, leftMs: LONG, random: 1 }, PATIENCE),
  );
  t.deepEqual(pauses, [100, 200, 400, 800, 800, 800]);
});

test('jitter takes away up to a half', (t) => {
  const pause = (random: number) => pauseMs(2, { retryAfterMs: 0, leftMs: LONG, random }, PATIENCE);
  t.deepEqual([pause(0), pause(0.5)], [100, 150]);
});

test('a longer wait that the integrator asks for counts, a shorter one does not', (t) => {
  const pause = (retryAfterMs: number) => pauseMs(1, { retryAfterMs, leftMs: LONG, random: 1 }, PATIENCE);
  t.deepEqual([pause(5000), pause(50)], [5000, 100]);
});

test('whatever the wait, one real attempt still fits', (t) => {
  const leftMs = PATIENCE.leastAttemptMs + 30;
  t.is(pauseMs(1, { retryAfterMs: 3_600_000, leftMs, random: 1 }, PATIENCE), 30);
  t.is(pauseMs(9, { retryAfterMs: 0, leftMs, random: 1 }, PATIENCE), 30);
});

test('without time for a real attempt there is none', (t) => {
  t.is(pauseMs(1, { retryAfterMs: 0, leftMs: PATIENCE.leastAttemptMs, random: 0 }, PATIENCE), undefined);
  t.is(pauseMs(1, { retryAfterMs: 0, leftMs: -5, random: 0 }, PATIENCE), undefined);
});
