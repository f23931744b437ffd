import test from 'ava';
import { Backlog, FASTEST_RATE } from '../../daemon/deepgram/backlog.ts';
import { waitsUntilMs } from '../../daemon/deepgram/final-wait.ts';

test('audio in real time leaves no backlog; audio at once is processed at 1.25 times real time', (t) => {
  const backlog = new Backlog(FASTEST_RATE, 0);
  for (let ms = 1000; ms <= 60_000; ms += 1000) backlog.sent(1000, ms);
  t.is(backlog.at(61_000), 0);
  backlog.sent(25_000, 61_000);
  t.is(backlog.at(61_000), 25_000);
  t.is(backlog.at(71_000), 12_500);
  t.is(backlog.at(81_000), 0);
  t.is(backlog.at(3_600_000), 0);
});

test('a line waits 10 s after CloseStream, plus the backlog’s duration at real time', (t) => {
  const closing = { closeStreamAtMs: 1000, backlogMs: 0, progressAtMs: -Infinity };
  t.is(waitsUntilMs(closing), 11_000);
  t.is(waitsUntilMs({ ...closing, backlogMs: 24_000 }), 35_000);
});

test('results that reach further extend the wait, up to 15 min', (t) => {
  const closing = { closeStreamAtMs: 0, backlogMs: 20_000, progressAtMs: 10_000 };
  t.is(waitsUntilMs(closing), 30_000);
  t.is(waitsUntilMs({ ...closing, progressAtMs: 60_000 }), 70_000);
  t.is(waitsUntilMs({ ...closing, progressAtMs: 899_000 }), 900_000);
  t.is(waitsUntilMs({ ...closing, backlogMs: 3_600_000 }), 900_000);
});
