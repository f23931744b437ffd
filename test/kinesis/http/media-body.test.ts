import { Socket } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import test from 'ava';
import { MediaBody } from '../../../daemon/kinesis/http/media-body.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { ExactTimers } from '../exact-timers.ts';

const PERIOD_MS = 220;
const READ = Buffer.alloc(1000);
/** More than a call of two tracks produces in a period. */
const BACKLOG = Buffer.alloc(16 * 1024);

/** A body on a fully loaded thread, and how often its socket was read. */
function bodyAt(nowMs: number, socket = new Socket()) {
  const clock = new VirtualClock({ nowMs });
  let reads = 0;
  socket.resume = () => {
    reads++;
    return socket;
  };
  return { clock, body: new MediaBody(socket, {}, new ExactTimers(clock, 1)), reads: () => reads };
}

test('on a busy thread a call is read periodically, and a late read does not shift the period', async (t) => {
  const { clock, body, reads } = bodyAt(1000);
  let next = body.next();
  t.is(reads(), 1, 'the first one at once');
  for (const [i, lateMs] of [0, 150, 9, 0, 199, 0].entries()) {
    body.take(READ);
    t.is((await next)?.length, READ.length);
    next = body.next();
    clock.forward(1000 + (i + 1) * PERIOD_MS - 1 - clock.now());
    t.is(reads(), 1 + i, 'not before it is due');
    clock.stall(1 + lateMs);
    t.is(reads(), 2 + i);
  }
});

test('a read that is late by more than a period starts a new one', async (t) => {
  const { clock, body, reads } = bodyAt(1000);
  let next = body.next();
  for (const lateMs of [0, 350]) {
    body.take(READ);
    await next;
    next = body.next();
    clock.stall(PERIOD_MS + lateMs);
  }
  body.take(READ);
  await next;
  t.is(reads(), 3);
  void body.next();
  t.is(reads(), 4, 'at once');
  body.take(READ);
  void body.next();
  clock.forward(PERIOD_MS - 1);
  t.is(reads(), 4);
  clock.forward(1);
  t.is(reads(), 5);
});

test('a backlog is read without waiting', async (t) => {
  const { clock, body, reads } = bodyAt(1000);
  for (let i = 1; i <= 3; i++) {
    const next = body.next();
    t.is(reads(), i);
    t.is(clock.pending, 0);
    body.take(BACKLOG);
    t.is((await next)?.length, BACKLOG.length);
  }
});

test('TLS records of one read are delivered together, when another body receives bytes or the turn ends', async (t) => {
  const [one, other] = [1, 2].map(() => bodyAt(1000, new TLSSocket(new Socket())).body) as [MediaBody, MediaBody];
  const delivered: string[] = [];
  const listen = async (body: MediaBody) => void delivered.push(String(await body.next()));
  const listening = [listen(one), listen(other)];
  one.take(Buffer.from('a'));
  one.take(Buffer.from('b'));
  await undefined;
  t.deepEqual(delivered, []);
  other.take(Buffer.from('c'));
  await undefined;
  t.deepEqual(delivered, ['ab']);
  other.take(Buffer.from('d'));
  await turnOfTheLoop();
  t.deepEqual(delivered, ['ab', 'cd']);
  await Promise.all(listening);
});
