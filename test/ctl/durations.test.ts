import test from 'ava';
import { durationText, parseDuration } from '../../daemon/ctl/output/durations.ts';

const SHOWN: [ms: number, text: string][] = [
  [0, '0ms'],
  [0.4, '0ms'],
  [999.4, '999ms'],
  [1000, '1.0s'],
  [59_999, '59.9s'],
  [60_000, '1m00s'],
  [3_599_999, '59m59s'],
  [3_600_000, '1h00m'],
  [86_399_999, '23h59m'],
  [183_600_000, '2d03h'],
];

test('durations are short, and never round up', (t) => {
  for (const [ms, text] of SHOWN) t.is(durationText(ms), text);
});

test('durations are parsed with their units', (t) => {
  t.deepEqual(
    ['250ms', '90s', '10m', '1h', '1h30m', '2d'].map(parseDuration),
    [250, 90_000, 600_000, 3_600_000, 5_400_000, 172_800_000],
  );
  for (const text of ['', '10', 'h', '-1h', '1.5h', '1h 30m', '1w', '366d', '1hx']) {
    t.throws(() => parseDuration(text), { message: /^It / }, text);
  }
});
