import test from 'ava';
import { inBackground, type RetryOptions, retry } from '../../daemon/lifecycle/retry.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function stage(random = 0) {
  const clock = new VirtualClock();
  const recorded = recordedLog();
  const stop = new AbortController();
  const options: RetryOptions = { signal: stop.signal, clock, log: recorded.log, random: () => random };
  return { clock, recorded, stop, options };
}

test('retries back off from 250 ms to 30 s, with jitter', async (t) => {
  const { clock, recorded, stop, options } = stage(0.999);
  const retried = retry('reach it', () => Promise.reject(new Error('away')), options);
  await clock.advance(120_000);
  const delays = recorded.of('lifecycle.retry').map(({ delayMs }) => delayMs);
  t.deepEqual(delays.slice(0, 9), [250, 500, 1000, 1999, 3998, 7996, 15_992, 29_985, 29_985]);
  t.is(recorded.lines[0]?.['msg'], 'could not reach it; retrying');
  stop.abort(new Error('stopped'));
  await t.throwsAsync(retried, { message: 'stopped' });
  t.is(clock.pending, 0);
});

test('the half of each delay that is not jitter is always waited for', async (t) => {
  const { clock, recorded, stop, options } = stage(0);
  const retried = retry('reach it', () => Promise.reject(new Error('away')), { ...options, longestRetryMs: 400 });
  await clock.advance(2000);
  t.deepEqual(
    recorded
      .of('lifecycle.retry')
      .map(({ delayMs }) => delayMs)
      .slice(0, 4),
    [125, 200, 200, 200],
  );
  stop.abort();
  await t.throwsAsync(retried, { name: 'AbortError' });
});

test('a failure after the signal aborted is final and is not logged', async (t) => {
  const { recorded, stop, options } = stage();
  const failed = Promise.withResolvers<never>();
  const retried = retry('reach it', () => failed.promise, options);
  stop.abort();
  failed.reject(new Error('aborted'));
  await t.throwsAsync(retried, { message: 'aborted' });
  await inBackground(retried, options);
  t.deepEqual(recorded.lines, []);
});

test('what fails in the background is logged and does not reject', async (t) => {
  const { recorded, options } = stage();
  await inBackground(Promise.reject(new Error('odd')), options);
  t.is(recorded.of('lifecycle.failed')[0]?.['error'], 'Error: odd');
});
