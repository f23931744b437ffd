import test from 'ava';
import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { ResultsWatch } from '../../daemon/deepgram/results-watch.ts';

const SECOND = 1000 * BYTES_PER_MS;

test('30 s of audio without a result are reported once, until results come again', (t) => {
  const watch = new ResultsWatch(0, 0);
  const reports: number[] = [];
  for (let second = 1; second <= 200; second++) {
    const count = second < 100 ? 0 : 1;
    if (watch.isSilent(count, second * SECOND, second * 1000)) reports.push(second);
  }
  t.deepEqual(reports, [30, 130]);
});

test('a backlog that is sent at once gets the time that it takes', (t) => {
  const watch = new ResultsWatch(0, 0);
  t.false(watch.isSilent(0, 60 * SECOND, 1000));
  t.false(watch.isSilent(0, 60 * SECOND, 23_000));
  t.true(watch.isSilent(0, 60 * SECOND, 24_000));
});

test('a call without any result is reported at its end, if it is longer than a second', (t) => {
  t.true(new ResultsWatch(0, 0).isSilentAtEnd(0, 12 * SECOND));
  t.false(new ResultsWatch(0, 0).isSilentAtEnd(1, 12 * SECOND));
  t.false(new ResultsWatch(10 * SECOND, 0).isSilentAtEnd(0, 10.5 * SECOND));
});
