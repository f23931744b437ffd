import { Socket } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import test from 'ava';
import { MediaBody } from '../../../daemon/kinesis/http/media-body.ts';
import { type Clock, type Millis, systemClock } from '../../../daemon/runtime/clock.ts';
import { type Timer, TimerWheel } from '../../../daemon/runtime/timer-wheel.ts';

const PERIOD_MS = 220;
const READ = Buffer.alloc(1000);
/** More than a call of two tracks can have said in a period. */
const BACKLOG = Buffer.alloc(16 * 1024);

/** The timers of a thread that is as busy as can be: what is set runs when it is told to. */
class BusyPulse extends TimerWheel {
  readonly #clock: { nowMs: Millis };
  timer: Timer | undefined;

  constructor(clock: Clock & { nowMs: Millis }) {
    super(clock);
    this.#clock = clock;
  }

  override get load(): number {
    return 1;
  }

  override set(timer: Timer, dueMs: Millis): void {
    this.timer = timer;
    timer.dueMs = dueMs;
  }

  /** Runs what waits, so late. Gives when it was due. */
  run(lateMs: Millis = 0): Millis {
    const { timer } = this;
    if (!timer) throw new Error('nothing waits');
    this.timer = undefined;
    this.#clock.nowMs = timer.dueMs + lateMs;
    timer.task();
    return timer.dueMs;
  }
}

function bodyAt(nowMs: Millis, socket = new Socket()) {
  const clock = { ...systemClock, nowMs, now: () => clock.nowMs, epoch: () => clock.nowMs };
  const timers = new BusyPulse(clock);
  let reads = 0;
  socket.resume = () => {
    reads++;
    return socket;
  };
  return { timers, body: new MediaBody(socket, {}, timers), reads: () => reads };
}

test('on a busy thread a call is read in its own rhythm, which a read that comes late does not move', async (t) => {
  const { timers, body, reads } = bodyAt(1000);
  const lateMs = [0, 150, 9, 0, 199, 0];
  const dueMs: Millis[] = [];
  let next = body.next();
  t.is(reads(), 1, 'the first one at once');
  for (const late of lateMs) {
    body.take(READ);
    t.is((await next)?.length, READ.length);
    next = body.next();
    dueMs.push(timers.run(late));
  }
  t.deepEqual(
    dueMs,
    lateMs.map((_, i) => 1000 + (i + 1) * PERIOD_MS),
  );
  t.is(reads(), 1 + lateMs.length);
});

test('a read that comes later than the next one is due begins the rhythm anew', async (t) => {
  const { timers, body } = bodyAt(1000);
  let next = body.next();
  for (const late of [0, 350]) {
    body.take(READ);
    await next;
    next = body.next();
    timers.run(late);
  }
  body.take(READ);
  await next;
  void body.next();
  t.is(timers.timer, undefined, 'it is read at once');
  body.take(READ);
  void body.next();
  t.is(timers.run(), 1000 + 2 * PERIOD_MS + 350 + PERIOD_MS);
});

test('a backlog is read without waiting', async (t) => {
  const { timers, body, reads } = bodyAt(1000);
  for (let i = 1; i <= 3; i++) {
    const next = body.next();
    t.is(reads(), i);
    t.is(timers.timer, undefined);
    body.take(BACKLOG);
    t.is((await next)?.length, BACKLOG.length);
  }
});

test('what TLS gives of a body in pieces is told at once when the next body is given something, or the turn is over', async (t) => {
  const [one, other] = [1, 2].map(() => bodyAt(1000, new TLSSocket(new Socket())).body) as [MediaBody, MediaBody];
  const told: string[] = [];
  const listen = async (body: MediaBody) => void told.push(String(await body.next()));
  const listening = [listen(one), listen(other)];
  one.take(Buffer.from('a'));
  one.take(Buffer.from('b'));
  await undefined;
  t.deepEqual(told, []);
  other.take(Buffer.from('c'));
  await undefined;
  t.deepEqual(told, ['ab']);
  other.take(Buffer.from('d'));
  await turnOfTheLoop();
  t.deepEqual(told, ['ab', 'cd']);
  await Promise.all(listening);
});
