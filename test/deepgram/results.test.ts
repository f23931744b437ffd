import test from 'ava';
import { positionOf } from '../../daemon/deepgram/replay-buffer.ts';
import { ReceivedResults } from '../../daemon/deepgram/results.ts';

/** More of the call than any of these results. */
const SENT = positionOf(60_000);

const result = (channel: number, start: number, duration: number, is_final = true) => ({
  type: 'Results',
  channel_index: [channel, 2],
  start,
  duration,
  is_final,
});

test('the call is final up to where both channels are; times count from the connection’s start', (t) => {
  const finals = new ReceivedResults(positionOf(1000));
  finals.note(result(0, 0, 2.5), positionOf(1000), SENT);
  t.is(finals.finalTo, positionOf(1000));
  finals.note(result(1, 1, 0.5), positionOf(1000), SENT);
  t.is(finals.finalTo, positionOf(2500));
  finals.note(result(1, 0, 1), positionOf(9000), SENT);
  t.is(finals.finalTo, positionOf(3500), 'a later connection');
});

test('times in binary fractions of seconds lose no ms', (t) => {
  const finals = new ReceivedResults(0);
  for (const channel of [0, 1]) finals.note(result(channel, 0.001, 1), 0, SENT);
  t.is(finals.finalTo, positionOf(1001));
});

test('interim results, other messages and nonsense are ignored, and finality never moves back', (t) => {
  const finals = new ReceivedResults(0);
  finals.note(result(0, 0, 5), 0, SENT);
  finals.note(result(1, 0, 5), 0, SENT);
  for (const message of [
    result(0, 0, 9, false),
    result(0, 0, 1),
    result(1, 0, 1),
    result(2, 0, 9),
    { ...result(0, 0, 9), start: 'x' },
    { ...result(0, 0, 9), start: 1e308 },
    { ...result(0, 9, 9), duration: -1 },
    { ...result(0, 0, 9), type: 'UtteranceEnd' },
    null,
    'Results',
  ])
    finals.note(message, 0, SENT);
  t.is(finals.finalTo, positionOf(5000));
});

test('nothing is final that was not sent', (t) => {
  const finals = new ReceivedResults(0);
  for (const channel of [0, 1]) finals.note(result(channel, 1, 3600), 0, positionOf(4000));
  t.is(finals.finalTo, positionOf(4000));
});
