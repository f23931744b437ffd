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
  t.is(heartbeat.arrivedTo, 0);
  heartbeat.ponged(2 * SECOND, 3000);
  t.is(heartbeat.arrivedTo, 2 * SECOND);
  t.false(heartbeat.isDead(8999), 'only the ping at 3000 is unanswered');
  heartbeat.ponged(SECOND, 3000);
  t.is(heartbeat.arrivedTo, 2 * SECOND, 'a late pong takes nothing back');
});

test('a line is dead after 12 s without a pong or a message, and after 10 s without an acknowledged byte', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  t.false(heartbeat.isDead(60_000), 'no ping is unanswered');
  heartbeat.pinged(SECOND, 1000);
  heartbeat.pinged(2 * SECOND, 2000);
  t.false(heartbeat.isDead(13_000));
  t.true(heartbeat.isDead(13_001));
  heartbeat.signOfLife(5000);
  t.false(heartbeat.isDead(17_000));
  t.true(heartbeat.isDead(17_001));
  heartbeat.acknowledged(heartbeat.queried(2 * SECOND, 0), { unackedBytes: SECOND, retransmits: 0 }, 8000);
  t.false(heartbeat.isDead(18_000), 'the first second has arrived');
  heartbeat.acknowledged(heartbeat.queried(3 * SECOND, 0), { unackedBytes: 2 * SECOND, retransmits: 1 }, 12_000);
  t.true(heartbeat.isDead(18_001), 'nothing more has arrived');
  heartbeat.ponged(2 * SECOND, 21_000);
  t.false(heartbeat.isDead(60_000));
});

test('a line whose TCP retransmits is dead after 6 s', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  heartbeat.pinged(SECOND, 1000);
  heartbeat.acknowledged(heartbeat.queried(SECOND, 0), { unackedBytes: SECOND, retransmits: 3 }, 5000);
  t.false(heartbeat.isDead(7000));
  t.true(heartbeat.isDead(7001));
});

test('a peer that acknowledges everything lives, though it answers no ping and nothing new is sent', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  for (let ms = 2000; ms <= 60_000; ms += 2000) {
    if (heartbeat.isPingDue(0, ms)) heartbeat.pinged(0, ms);
    t.true(heartbeat.isPongOverdue(ms + 1000));
    heartbeat.sent(ms);
    heartbeat.acknowledged(heartbeat.queried(0, 0), { unackedBytes: 0, retransmits: 0 }, ms + 1000);
    t.false(heartbeat.isDead(ms + 2000));
  }
});

test('a pong that answers no ping is a sign of life and confirms nothing', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  heartbeat.pinged(SECOND, 1000);
  for (const position of [Number.NaN, 0, SECOND + 4, 9_999_999_999, Infinity]) heartbeat.ponged(position, 12_000);
  t.is(heartbeat.arrivedTo, 0);
  t.true(heartbeat.isPongOverdue(12_000));
  t.false(heartbeat.isDead(24_000));
  t.true(heartbeat.isDead(24_001));
});

test('audio that TCP acknowledges has arrived; all but the last 10 s counts as read, if the peer confirms nothing', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  const sent = 30 * SECOND;
  const queue = { unackedBytes: 2 * SECOND, retransmits: 0 };
  heartbeat.pinged(sent, 30_000);
  heartbeat.acknowledged(heartbeat.queried(sent, SECOND), queue, 32_000);
  t.is(heartbeat.arrivedTo, 27 * SECOND);
  t.is(heartbeat.readTo(sent), 20 * SECOND);
  t.is(heartbeat.readTo(0), 0, 'nothing is confirmed');
  heartbeat.transcribed(5 * SECOND);
  t.is(heartbeat.readTo(sent), 5 * SECOND);
});

test('where TCP does not report arrivals, audio that the kernel has taken has arrived, and none of it counts as read', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  heartbeat.pinged(SECOND, 1000);
  t.false(heartbeat.isTcpKnown);
  heartbeat.acknowledged(heartbeat.queried(20 * SECOND, SECOND), undefined, 2000);
  t.false(heartbeat.isTcpKnown);
  t.is(heartbeat.arrivedTo, 19 * SECOND);
  t.is(heartbeat.readTo(20 * SECOND), 0);
  t.true(heartbeat.isDead(13_001));
});

test('a peer that answers nothing gets 32 pings, then one every 2 s', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  let pings = 0;
  for (let second = 1; second <= 3600; second++) {
    if (!heartbeat.isPingDue(second * SECOND, second * 1000)) continue;
    heartbeat.pinged(second * SECOND, second * 1000);
    pings++;
  }
  t.is(pings, 32 + (3600 - 32) / 2);
  t.false(heartbeat.isPingDue(3601 * SECOND, 3_601_000));
  heartbeat.ponged(3600 * SECOND, 3_601_000);
  t.is(heartbeat.arrivedTo, 3600 * SECOND);
  t.true(heartbeat.isPingDue(3601 * SECOND, 3_601_000));
});

test('a peer can have worked until its last answer; without answers until TCP’s, and if that is unknown until now', (t) => {
  const heartbeat = new Heartbeat(0, 0);
  t.is(heartbeat.workedUntilMs(500), 500);
  heartbeat.pinged(SECOND, 1000);
  heartbeat.acknowledged(heartbeat.queried(SECOND, 0), { unackedBytes: 0, retransmits: 0 }, 2000);
  t.is(heartbeat.workedUntilMs(4000), 2000);
  heartbeat.ponged(Number.NaN, 3000);
  t.is(heartbeat.workedUntilMs(4000), 3000);
  heartbeat.ponged(SECOND, 3500);
  t.is(heartbeat.workedUntilMs(4900), 4900);
  heartbeat.acknowledged(heartbeat.queried(3 * SECOND, 0), { unackedBytes: 0, retransmits: 0 }, 9000);
  t.is(heartbeat.workedUntilMs(9000), 3500, 'a peer that answers is expected to answer again');
  heartbeat.acknowledged(heartbeat.queried(9 * SECOND, 0), { unackedBytes: 0, retransmits: 0 }, 63_000);
  t.is(heartbeat.workedUntilMs(63_600), 63_000, 'but its pongs may stop while it works');
});
