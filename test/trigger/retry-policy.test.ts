import test from 'ava';
import { deadlineOf, RETRY_POLICY, retryDelayMs } from '../../trigger/retry-policy.ts';

const LONG_MS = 1_000_000;
const ANY = { retryAfterMs: 0, isOfInstance: false };

test('the budget counts from the start of the invocation', (t) => {
  t.is(deadlineOf(1000, undefined), 1000 + RETRY_POLICY.budgetMs);
  t.is(deadlineOf(1000, 15_000), 1000 + RETRY_POLICY.budgetMs);
});

test('a function that is nearly out of time responds before Lambda ends it', (t) => {
  const deadlineMs = deadlineOf(1000, 3000);
  t.true(deadlineMs < 1000 + 3000);
  t.true(deadlineMs > 1000);
});

test('delays double up to the longest', (t) => {
  const delays = [1, 2, 3, 4, 5, 50].map((attempt) =>
    retryDelayMs(attempt, { ...ANY, leftMs: LONG_MS, random: () => 1 }),
  );
  t.deepEqual(delays, [100, 200, 400, 800, 800, 800]);
});

test('jitter takes away up to a half', (t) => {
  const delay = (random: number) => retryDelayMs(2, { ...ANY, leftMs: LONG_MS, random: () => random });
  t.deepEqual([delay(0), delay(0.5)], [100, 150]);
});

test('a longer Retry-After of the integrator counts, a shorter one does not', (t) => {
  const delay = (retryAfterMs: number) => retryDelayMs(1, { ...ANY, retryAfterMs, leftMs: LONG_MS, random: () => 1 });
  t.deepEqual([delay(5000), delay(50)], [5000, 100]);
});

test('where another instance may answer, the first retries do not wait for Retry-After, later ones do', (t) => {
  const delays = [1, 2, 3, 4, 5].map((attempt) =>
    retryDelayMs(attempt, { retryAfterMs: 1000, isOfInstance: true, leftMs: LONG_MS, random: () => 1 }),
  );
  t.deepEqual(delays, [100, 200, 400, 1000, 1000]);
});

test('however long the delay, one real attempt still fits', (t) => {
  const leftMs = RETRY_POLICY.minAttemptMs + 30;
  t.is(retryDelayMs(1, { ...ANY, retryAfterMs: 3_600_000, leftMs, random: () => 1 }), 30);
  t.is(retryDelayMs(9, { ...ANY, leftMs, random: () => 1 }), 30);
});

test('no attempt is made without time for a real one', (t) => {
  t.is(retryDelayMs(1, { ...ANY, leftMs: RETRY_POLICY.minAttemptMs, random: () => 0 }), undefined);
  t.is(retryDelayMs(1, { ...ANY, leftMs: -5, random: () => 0 }), undefined);
});
