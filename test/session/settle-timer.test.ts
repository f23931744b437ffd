import test from 'ava';
import type { TrackPlace } from '../../daemon/audio/call-clock.ts';
import { unpacked } from '../../daemon/audio/packed-clock.ts';
import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { AGENT, CUSTOMER } from '../../daemon/contract/audio-format.ts';
import { LONGEST_GATHER_MS } from '../../daemon/kinesis/read-schedule.ts';
import { TICK_MS, TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { SettleTimer } from '../../daemon/session/settle-timer.ts';
import { BufferedAligner } from '../support/buffered-aligner.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const WAIT_MS = 200;
const BLOCK_MS = 64;
/** What settle-timer.ts allows after a pause. */
const CATCH_UP_MS = 1000;

/** Where the tracks stand. */
function placesOf(aligner: BufferedAligner): readonly TrackPlace[] {
  const clock = aligner.callClock();
  return (clock && unpacked(clock).placed?.tracks) ?? [];
}

/** A session's aligner, timer and line, in virtual time. */
class Desk {
  readonly clock = new VirtualClock();
  readonly aligner = new BufferedAligner(WAIT_MS);
  #cpuMs = 0;
  readonly #wheel = new TimerWheel(this.clock, () => this.#cpuMs);
  readonly timer = new SettleTimer(this.aligner, this.#wheel, () => this.send());
  /** When audio was sent, and up to where in the call. */
  readonly sent: { readonly atMs: number; readonly toMs: number }[] = [];
  /** Holds sending back while it is set. */
  room: Promise<void> | undefined;

  send(): Promise<void> | undefined {
    while (this.aligner.take(250)) {
      this.sent.push({ atMs: this.clock.now(), toMs: this.aligner.positionMs });
      if (this.room) {
        return this.room.then(() => {
          this.timer.noteHold();
          return this.send();
        });
      }
    }
    this.timer.set();
    return undefined;
  }

  forward(...blocks: AudioBlock[]): Promise<void> | undefined {
    for (const block of blocks) this.aligner.add({ ...block, arrivedAtMs: this.clock.now() });
    return this.timer.afterSending(() => this.send());
  }

  /** The thread uses all of its core for some seconds. */
  async beBusy(): Promise<void> {
    for (let second = 0; second < 10; second++) {
      this.#cpuMs += 1000;
      await this.clock.advance(1000);
      void this.#wheel.load;
    }
  }

  /** The line is full for a while, and takes something then. */
  async held(ms: number, block: AudioBlock): Promise<void> {
    const room = Promise.withResolvers<void>();
    this.room = room.promise;
    const forwarded = this.forward(block);
    await this.clock.advance(ms);
    this.room = undefined;
    room.resolve();
    await forwarded;
  }

  /** A second of both tracks. */
  second(fromMs: number): AudioBlock[] {
    return Array.from({ length: 16 }, (_, i) => [
      blockAt(CUSTOMER, fromMs + i * BLOCK_MS),
      blockAt(AGENT, fromMs + i * BLOCK_MS),
    ]).flat();
  }
}

function blockAt(channel: 0 | 1, timeMs: number): AudioBlock {
  const pcm = Buffer.alloc(BLOCK_MS * 16);
  pcm.writeInt32LE(timeMs + channel + 1);
  return { channel, timeMs, pcm, arrivedAtMs: 0 };
}

/** A fragment in which the agent is absent from its middle on: the customer's audio waits for it. */
function halfAnswered(desk: Desk): Promise<void> | undefined {
  const fragment = desk.second(1024).filter(({ channel, timeMs }) => channel === CUSTOMER || timeMs < 1500);
  return desk.forward(...fragment);
}

test('nothing is set while nothing waits', async (t) => {
  const desk = new Desk();
  await desk.forward(...desk.second(0));
  t.is(desk.aligner.positionMs, 1024);
  t.is(desk.clock.pending, 0);
});

test('audio of one track is sent after ALIGN_WAIT_MS although no block arrives', async (t) => {
  const desk = new Desk();
  await desk.forward(...desk.second(0));
  await halfAnswered(desk);
  const arrivedAtMs = desk.clock.now();
  t.is(desk.aligner.positionMs, 1536);
  desk.clock.forward(5000);
  t.is(desk.aligner.positionMs, 2048);
  const waitedMs = (desk.sent.at(-1)?.atMs ?? Infinity) - arrivedAtMs;
  t.true(waitedMs > WAIT_MS - 40 && waitedMs <= WAIT_MS, `${waitedMs} ms`);
  t.is(desk.clock.pending, 0, 'nothing waits anymore');
});

test('a late block finds its place after ALIGN_WAIT_MS although no other follows', async (t) => {
  const desk = new Desk();
  await desk.forward(...desk.second(0));
  await desk.forward(blockAt(CUSTOMER, 1024 + 70), blockAt(AGENT, 1024 + 70));
  t.is(desk.aligner.positionMs, 1024, 'an inexact time, or an absence?');
  desk.clock.forward(WAIT_MS);
  t.is(desk.aligner.positionMs, 1024 + 70 + BLOCK_MS);
  t.is(desk.aligner.gapMs, 70);
});

test('a block that arrives in time decides, and the timer does not', async (t) => {
  const desk = new Desk();
  await desk.forward(...desk.second(0));
  await halfAnswered(desk);
  desk.clock.forward(100);
  await desk.forward(...desk.second(1024).filter(({ channel, timeMs }) => channel === AGENT && timeMs >= 1500));
  t.is(desk.aligner.positionMs, 2048);
  t.is(desk.aligner.gapMs, 0);
  t.is(desk.clock.pending, 1, 'the wheel turns once more');
  desk.clock.forward(5000);
  t.is(desk.clock.pending, 0);
});

test('after a stall of the process, blocks that came meanwhile are read first', async (t) => {
  for (const comes of [true, false]) {
    const desk = new Desk();
    await desk.forward(...desk.second(0));
    await halfAnswered(desk);
    desk.clock.stall(4000);
    t.is(desk.aligner.positionMs, 1536);
    if (comes)
      await desk.forward(...desk.second(1024).filter(({ channel, timeMs }) => channel === AGENT && timeMs >= 1500));
    desk.clock.forward(comes ? 2 * TICK_MS : CATCH_UP_MS + WAIT_MS);
    t.is(desk.aligner.positionMs, 2048);
    t.is(desk.aligner.gapMs, 0);
    const [spoken] = placesOf(desk.aligner).slice(AGENT);
    t.is(spoken?.endFrame, (comes ? 2048 : 1536) * 8);
  }
});

test('the timer waits for the line, and the reader for the timer', async (t) => {
  const desk = new Desk();
  await desk.forward(...desk.second(0));
  await halfAnswered(desk);
  const room = Promise.withResolvers<void>();
  desk.room = room.promise;
  await desk.clock.advance(WAIT_MS);
  const pieces = desk.sent.length;
  const forwarded = desk.forward(...desk.second(2048));
  await desk.clock.advance(5000);
  t.is(desk.sent.length, pieces, 'the line is full');
  desk.room = undefined;
  room.resolve();
  await forwarded;
  t.is(desk.aligner.positionMs, 3072);
  t.deepEqual(
    desk.sent.map(({ toMs }) => toMs),
    desk.sent.map(({ toMs }) => toMs).toSorted((a, b) => a - b),
  );
});

test('while the reader waits for the line, the timer takes nothing', async (t) => {
  const desk = new Desk();
  await desk.forward(...desk.second(0));
  const room = Promise.withResolvers<void>();
  desk.room = room.promise;
  const forwarded = halfAnswered(desk);
  const pieces = desk.sent.length;
  await desk.clock.advance(5000);
  t.is(desk.sent.length, pieces);
  desk.room = undefined;
  room.resolve();
  await forwarded;
  await desk.clock.advance(CATCH_UP_MS + WAIT_MS);
  t.is(desk.aligner.positionMs, 2048);
});

for (const [name, pause] of [
  [
    'a stall of the process',
    (desk: Desk, block: AudioBlock) => {
      desk.clock.stall(4000);
      return desk.forward(block);
    },
  ],
  ['a pause of the reader', (desk: Desk, block: AudioBlock) => desk.held(4000, block)],
] as const) {
  test(`after ${name}, a fragment that comes in parts is not torn apart`, async (t) => {
    const desk = new Desk();
    await desk.forward(...desk.second(0));
    const customer = desk.second(1024).filter(({ channel }) => channel === CUSTOMER);
    const agent = desk.second(1024).filter(({ channel }) => channel === AGENT);
    await desk.forward(...customer);
    await pause(desk, agent[0] as AudioBlock);
    for (const part of [agent.slice(1, 3), agent.slice(3, 8), agent.slice(8)]) {
      await desk.forward(...part);
      await desk.clock.advance(150);
    }
    t.is(desk.aligner.positionMs, 2048);
    const tracks = placesOf(desk.aligner);
    t.deepEqual(
      tracks.map(({ endFrame }) => endFrame),
      [2048 * 8, 2048 * 8],
    );
  });
}

test('a line that is closed while the timer sends ends the session by its reader', async (t) => {
  const desk = new Desk();
  await desk.forward(...desk.second(0));
  await halfAnswered(desk);
  desk.room = Promise.reject(new Error('closed'));
  await desk.clock.advance(WAIT_MS);
  await t.throwsAsync(async () => desk.forward(...desk.second(2048)), { message: 'closed' });
  await t.throwsAsync(desk.timer.stop(), { message: 'closed' });
});

test('a session that has ended leaves no timer', async (t) => {
  const desk = new Desk();
  await desk.forward(...desk.second(0));
  await halfAnswered(desk);
  await desk.timer.stop();
  desk.aligner.finish();
  await desk.send();
  t.is(desk.aligner.positionMs, 2048);
  await desk.clock.advance(100);
  t.is(desk.clock.pending, 0);
});

test('on a busy thread, which reads rarely, the other track may be in the next read', async (t) => {
  const desk = new Desk();
  await desk.beBusy();
  await desk.forward(...desk.second(0));
  const fragment = desk.second(1024);
  await desk.forward(...fragment.filter(({ channel }) => channel === CUSTOMER));
  await desk.clock.advance(LONGEST_GATHER_MS + TICK_MS);
  await desk.forward(...fragment.filter(({ channel }) => channel === AGENT));
  const [customer, agent] = placesOf(desk.aligner);
  t.deepEqual([customer?.endFrame, agent?.endFrame], [2048 * 8, 2048 * 8]);
  await desk.forward(...desk.second(2048).filter(({ channel }) => channel === CUSTOMER));
  await desk.clock.advance(LONGEST_GATHER_MS + 5 * TICK_MS);
  t.is(desk.aligner.positionMs, 3072, 'nothing came in that read either');
});
