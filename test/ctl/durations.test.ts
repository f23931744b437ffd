import test from 'ava';
import { durationText, durationUpTo } from '../../daemon/ctl/output/durations.ts';

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
  const parse = durationUpTo(172_800_000);
  t.deepEqual(
    ['0s', '250ms', '90s', '10m', '1h', '1h30m', '2d', '1d24h'].map(parse),
    [0, 250, 90_000, 600_000, 3_600_000, 5_400_000, 172_800_000, 172_800_000],
  );
  for (const text of ['', '10', 'h', '-1h', '1.5h', '1h 30m', '1w', '1hx']) {
    t.throws(() => parse(text), { message: /^It must be a duration/ }, text);
  }
});

test('a duration beyond its limits is refused', (t) => {
  const parse = durationUpTo(86_400_000, { shortestMs: 1 });
  for (const text of ['1d1ms', '25h', '366d', `${'9'.repeat(400)}d`]) {
    t.throws(() => parse(text), { message: 'It must be at most 24h.' }, text);
  }
  t.throws(() => parse('0s'), { message: 'It must be at least 1ms.' });
});
