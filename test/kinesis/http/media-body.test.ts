import { Socket } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import test from 'ava';
import { MediaBody, nextOf } from '../../../daemon/kinesis/http/media-body.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { ExactTimers } from '../exact-timers.ts';

const READ = Buffer.alloc(1000);
/** More than a call of two tracks produces between two reads. */
const BACKLOG = Buffer.alloc(16 * 1024);

/** A body, and how often its socket was read. */
function bodyAt(nowMs: number, socket = new Socket()) {
  const clock = new VirtualClock({ nowMs });
  let reads = 0;
  socket.resume = () => {
    reads++;
    return socket;
  };
  return { clock, body: new MediaBody(socket, {}, new ExactTimers(clock)), reads: () => reads };
}

test('a body is read at the time that its owner says, or at once when that is past', async (t) => {
  const { clock, body, reads } = bodyAt(1000);
  for (const [nth, waitMs] of [0, 200, 1, -5].entries()) {
    const next = nextOf(body, clock.now() + waitMs);
    clock.forward(Math.max(0, waitMs - 1));
    if (waitMs > 0) t.is(reads(), nth, 'not before');
    clock.forward(1);
    t.is(reads(), nth + 1);
    body.take(READ);
    t.is((await next)?.length, READ.length);
  }
});

test('a backlog is read without waiting', async (t) => {
  const { clock, body, reads } = bodyAt(1000);
  for (let i = 1; i <= 3; i++) {
    const next = nextOf(body, clock.now() + (i === 1 ? 0 : 200));
    t.is(reads(), i);
    t.is(clock.pending, 0);
    body.take(BACKLOG);
    t.is((await next)?.length, BACKLOG.length);
  }
});

test('a socket reads on if that was asked for while its bytes were taken, and stops if not', (t) => {
  const { clock, body, reads } = bodyAt(1000);
  body.read(clock.now(), () => body.read(clock.now(), () => {}));
  t.true(body.take(READ));
  t.is(reads(), 2);
  t.false(body.take(READ));
  body.read(clock.now() + 200, () => {});
  t.is(reads(), 2);
});

test('bytes that were not waited for are taken before the socket reads again', (t) => {
  const { clock, body, reads } = bodyAt(1000);
  t.false(body.take(READ));
  const taken: (number | undefined)[] = [];
  body.read(clock.now(), (bytes) => taken.push(bytes?.length));
  t.deepEqual(taken, [READ.length]);
  t.is(reads(), 0);
});

test('TLS records of one read are delivered together, when another body receives bytes or the turn ends', async (t) => {
  const [one, other] = [1, 2].map(() => bodyAt(1000, new TLSSocket(new Socket())).body) as [MediaBody, MediaBody];
  const delivered: string[] = [];
  const listen = async (body: MediaBody) => void delivered.push(String(await nextOf(body)));
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
