import test from 'ava';
import { Chunks } from '../../daemon/kinesis/chunks.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { ExactTimers } from './exact-timers.ts';
import { type Connection, inOrder, ScriptedKinesis } from './scripted-kinesis.ts';
import { CONTACT } from './stream.ts';

const IDLE_MS = 7500;

/** The chunks of one connection, read in virtual time. */
async function reading(connection: Connection, stop = new AbortController()) {
  const clock = new VirtualClock({ nowMs: 0 });
  const kinesis = new ScriptedKinesis(clock, inOrder(clock, [connection]));
  const media = await kinesis.getMedia(CONTACT.streamArn, CONTACT.start, stop.signal);
  const chunks = new Chunks(media, IDLE_MS, new ExactTimers(clock), stop.signal);
  /** Whether there is another chunk, and at what time it arrived. */
  const next = async () => {
    const chunk = await new Promise<Uint8Array | undefined>((take) => chunks.read(clock.now(), take));
    return { isChunk: chunk !== undefined, atMs: clock.now() };
  };
  return { clock, kinesis, chunks, stop, next };
}

test('a body that ends is closed; one that breaks has a cause', async (t) => {
  const closed = await reading({ sends: [{ number: 1 }] });
  t.true((await closed.next()).isChunk);
  t.false((await closed.next()).isChunk);
  t.deepEqual(closed.chunks.end, { how: 'closed' });
  const broken = await reading({ ending: 'breaks' });
  t.false((await broken.next()).isChunk);
  t.like(broken.chunks.end, { how: 'broken', cause: { message: 'socket hang up' } });
});

test('a connection is idle when a read has waited too long', async (t) => {
  const { clock, next, chunks, kinesis } = await reading({
    sends: [{ number: 1 }, 5000, { number: 2 }],
    ending: 'hangs',
  });
  const reads = (async () => [await next(), await next(), await next()])();
  await clock.advance(60_000);
  t.deepEqual(await reads, [
    { isChunk: true, atMs: 0 },
    { isChunk: true, atMs: 5000 },
    { isChunk: false, atMs: 5000 + IDLE_MS },
  ]);
  t.deepEqual(chunks.end, { how: 'idle' });
  t.is(kinesis.open, 0);
});

test('the time limit can change while a read waits', async (t) => {
  for (const [silenceLimitMs, endMs] of [
    [500, 2000],
    [20_000, 20_000],
  ] as const) {
    const { clock, next, chunks } = await reading({ ending: 'hangs' });
    const read = next();
    await clock.advance(2000);
    chunks.waitUpTo(silenceLimitMs);
    await clock.advance(60_000);
    t.deepEqual(await read, { isChunk: false, atMs: endMs });
  }
});

test('a connection that is not read because of back-pressure is not idle', async (t) => {
  const { clock, next, chunks } = await reading({ sends: [{ number: 1 }, { number: 2 }], ending: 'hangs' });
  await next();
  const free = Promise.withResolvers<void>();
  const held = chunks.holdUntil(free.promise);
  await clock.advance(10 * 60_000);
  free.resolve();
  await held;
  t.true((await next()).isChunk);
  const last = next();
  await clock.advance(60_000);
  t.deepEqual(await last, { isChunk: false, atMs: 10 * 60_000 + IDLE_MS });
});

test('a stop ends the chunks, during a read and between two', async (t) => {
  const waiting = await reading({ ending: 'hangs' });
  const read = waiting.next();
  waiting.stop.abort();
  t.false((await read).isChunk);
  t.deepEqual(waiting.chunks.end, { how: 'stopped' });
  const { stop, next, chunks } = await reading({ sends: [{ number: 1 }, { number: 2 }] });
  await next();
  stop.abort();
  t.false((await next()).isChunk);
  t.deepEqual(chunks.end, { how: 'stopped' });
});

test('after a stop there are no chunks to begin with', async (t) => {
  const stop = new AbortController();
  stop.abort();
  const { next, chunks } = await reading({ sends: [{ number: 1 }] }, stop);
  t.false((await next()).isChunk);
  t.deepEqual(chunks.end, { how: 'stopped' });
});

test('closing leaves no timer behind', async (t) => {
  const { clock, chunks, kinesis } = await reading({ ending: 'hangs' });
  t.is(clock.pending, 1);
  chunks.close();
  t.is(clock.pending, 0);
  t.is(kinesis.open, 0);
});
