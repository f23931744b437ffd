import test from 'ava';
import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { Heartbeat } from '../../daemon/deepgram/heartbeat.ts';

const SECOND = 1000 * BYTES_PER_MS;

test('a ping is due after a second of audio, and after 2 s without one', (t) => {
  const heartbeat = new Heartbeat(5 * SECOND, 0);
  t.false(heartbeat.isPingDue(6 * SECOND - 4, 500));
  t.true(heartbeat.isPingDue(6 * SECOND, 500));
  t.false(heartbeat.isPingDue(5 * SECOND, 1999));
  t.true(heartbeat.isPingDue(5 * SECOND, 2000));
  heartbeat.pinged(6 * SECOND, 2000);
  t.false(heartbeat.isPingDue(6 * SECOND, 3999));
});

test('a KeepAlive is due 4 s after the last audio or KeepAlive', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  t.false(heartbeat.isKeepAliveDue(3999));
  t.true(heartbeat.isKeepAliveDue(4000));
  heartbeat.sent(4000);
  t.false(heartbeat.isKeepAliveDue(7999));
  t.true(heartbeat.isKeepAliveDue(8000));
});

test('a pong confirms what was sent before its ping, and answers earlier pings too', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  for (const second of [1, 2, 3]) heartbeat.pinged(second * SECOND, second * 1000);
  t.is(heartbeat.confirmedTo, 0);
  heartbeat.ponged(2 * SECOND);
  t.is(heartbeat.confirmedTo, 2 * SECOND);
  t.false(heartbeat.isDead(8999), 'only the ping at 3000 is unanswered');
  heartbeat.ponged(SECOND);
  t.is(heartbeat.confirmedTo, 2 * SECOND, 'a late pong takes nothing back');
});

test('a line is dead once its oldest unanswered ping is older than 6 s', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  t.false(heartbeat.isDead(60_000));
  heartbeat.pinged(SECOND, 1000);
  heartbeat.pinged(2 * SECOND, 2000);
  t.false(heartbeat.isDead(7000));
  t.true(heartbeat.isDead(7001));
  heartbeat.ponged(2 * SECOND);
  t.false(heartbeat.isDead(60_000));
});
