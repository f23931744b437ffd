import test from 'ava';

interface Words {
  clockText(ms: number): string;
  shortText(ms: number): string;
  countText(count: number, noun: string): string;
}
// By URL, because browser code has no types.
const { clockText, shortText, countText } = (await import(
  new URL('../../daemon/control/page/words.js', import.meta.url).href
)) as Words;

test('a duration is shown as on a clock', (t) => {
  const cases = { 0: '0:00', 42999: '0:42', 724000: '12:04', 3723000: '1:02:03', 183845000: '2 d 3:04:05' };
  for (const [ms, text] of Object.entries(cases)) t.is(clockText(Number(ms)), text);
});

test('a lag is shown in a short form', (t) => {
  const cases = [
    [0, '0 ms'],
    [0.4, '< 1 ms'],
    [345.4, '345 ms'],
    [999.6, '1.0 s'],
    [59_960, '59.9 s'],
    [125_000, '2:05 min'],
  ] as const;
  for (const [ms, text] of cases) t.is(shortText(ms), text);
});

test('a noun is plural unless there is one', (t) => {
  t.deepEqual([countText(1, 'session'), countText(2000, 'session')], ['1 session', '2,000 sessions']);
});
