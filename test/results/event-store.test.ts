import test from 'ava';
import type { NumberedContent } from '../../daemon/contract/events.ts';
import { Relay } from '../../daemon/results/relay.ts';
import type { Delivery } from '../../daemon/results/sink.ts';
import {
  ENDED,
  finalOf,
  GIVE_UP_MS,
  MINUTE_MS,
  place,
  retry,
  STARTED,
  say,
  sessionOf,
  stateAt,
  TestSink,
} from './event-stage.ts';

const NEW = { isResumed: false };
const RESUMED = { isResumed: true };
const INTERRUPTED: NumberedContent = { ...ENDED, outcome: 'failed', reason: 'interrupted' };
const RESUMED_EVENT: NumberedContent = {
  type: 'session.resumed',
  startedAt: '2026-01-01T00:00:00.000Z',
  from: { CUSTOMER: 3900, AGENT: 3900 },
  cause: 'interrupted',
};

test('events are numbered from 1 and delivered in order, each within 70 ms', async (t) => {
  const { clock, store } = place();
  const sink = new TestSink();
  const session = sessionOf();
  const log = await store([sink]).open(session, NEW);
  log.append(STARTED, stateAt(0));
  say(log, 1, 3);
  t.deepEqual(sink.events, []);
  await clock.advance(70);
  t.deepEqual(sink.sequences, [1, 2, 3, 4]);
  t.is(sink.batches[0]?.id, `${session.sessionId}_1_1-4`);
  t.is(log.sequence, 4);
  t.deepEqual(log.deliveredMs, [3900, 3900]);
  t.is(sink.numbered[0]?.id, `${session.sessionId}_1_1`);
});

test('an event is on disk before it is sent', async (t) => {
  const { clock, store, world } = place();
  const sink = new TestSink();
  const onDisk: number[] = [];
  sink.answer = (batch) => {
    onDisk.push(world.folder?.files.get('thread-1.process1.spool')?.length ?? 0);
    return batch.events.length > 0 ? { name: 'delivered' } : retry;
  };
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 1);
  await clock.advance(70);
  t.is(onDisk.length, 1);
  t.true((onDisk[0] as number) > 500);
  // The file must not contain a word of the call in plain text.
  t.false(world.folder?.files.get('thread-1.process1.spool')?.includes('word 1'));
});

test('events of many sessions share a write', async (t) => {
  const { clock, store, world } = place();
  const thread = store([new TestSink()]);
  const logs = await Promise.all(Array.from({ length: 100 }, () => thread.open(sessionOf(), NEW)));
  for (const log of logs) say(log, 1, 2);
  await clock.advance(70);
  t.true((world.folder?.writes ?? Infinity) <= 2);
});

test('one request is in flight; events that arrive meanwhile join the next one', async (t) => {
  const { clock, store } = place();
  const sink = new TestSink();
  const answers: ((delivery: Delivery) => void)[] = [];
  sink.answer = () => new Promise((resolve) => answers.push(resolve));
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 1);
  await clock.advance(70);
  say(log, 2, 4);
  await clock.advance(1000);
  t.is(answers.length, 1);
  answers[0]?.({ name: 'delivered' });
  await clock.settle();
  t.deepEqual(
    sink.attempts[1]?.events.map(({ sequence }) => sequence),
    [2, 3, 4],
  );
});

test('a retry is the same batch, and waits 0.5 s to 30 s, or as long as the consumer asks', async (t) => {
  const { clock, store } = place();
  const sink = new TestSink();
  const startMs = clock.now();
  const attemptsAtMs: number[] = [];
  sink.answer = () => {
    attemptsAtMs.push(clock.now() - startMs);
    return attemptsAtMs.length === 9 ? { name: 'retry', error: 'HTTP 429', afterMs: 100_000 } : retry;
  };
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 1);
  await clock.advance(70);
  say(log, 2, 2);
  await clock.advance(10 * MINUTE_MS);
  const waits = attemptsAtMs.slice(1).map((atMs, index) => atMs - (attemptsAtMs[index] as number));
  t.deepEqual(waits.slice(0, 10), [375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 100_000, 22_500]);
  t.is(new Set(sink.attempts).size, 1);
  t.deepEqual(
    sink.attempts[0]?.events.map(({ sequence }) => sequence),
    [1],
  );
});

test('a consumer that is down for less than RESULTS_GIVE_UP_MS gets everything, in order', async (t) => {
  const { clock, store, letters } = place();
  const sink = new TestSink();
  sink.answer = () => retry;
  const log = await store([sink]).open(sessionOf(), NEW);
  for (let nth = 1; nth <= 900; nth++) {
    say(log, nth, nth);
    await clock.advance(3900);
  }
  sink.answer = () => ({ name: 'delivered' });
  await clock.advance(30_000);
  t.deepEqual(
    sink.sequences,
    Array.from({ length: 900 }, (_, index) => index + 1),
  );
  t.is(letters.length, 0);
});

/** Calls of a thread that talk while their consumer is away for an hour, with a process that dies in the middle of it. */
async function hourWithoutConsumer(spoolBytes: number) {
  const calls = 4;
  const scene = place({ mostBytes: spoolBytes });
  const { clock, store, world, recover, disk } = scene;
  disk.keepsLetters = false;
  const sink = new TestSink();
  sink.answer = () => retry;
  const sessions = Array.from({ length: calls }, () => sessionOf());
  const open = (how: typeof NEW) => Promise.all(sessions.map((session) => thread.open(session, how)));
  let thread = store([sink]);
  let logs = await open(NEW);
  for (let nth = 1; nth <= 880; nth++) {
    for (const log of logs) say(log, nth, nth);
    await clock.advance(4000);
    if (nth !== 440) continue;
    await thread.close();
    world.folder = world.folder?.afterCrash();
    await recover();
    thread = store([sink]);
    logs = await open(RESUMED);
  }
  sink.answer = () => ({ name: 'delivered' });
  for (const log of logs) log.append(ENDED, stateAt(880));
  await clock.advance(MINUTE_MS);
  await Promise.all(logs.map((log) => log.drained()));
  const bySession = sessions.map(({ sessionId }) => sink.events.filter((event) => event.sessionId === sessionId));
  return { ...scene, bySession };
}

test('of an hour without a consumer nothing is lost within RESULTS_SPOOL_MIB, over a kill -9 too', async (t) => {
  const { bySession, counted, letters, of } = await hourWithoutConsumer(16 * 1024 * 1024);
  for (const events of bySession) {
    t.deepEqual(
      events.map((event) => 'sequence' in event && event.sequence),
      Array.from({ length: 881 }, (_, index) => index + 1),
    );
    t.false(events.some(({ type }) => type === 'gap'));
  }
  t.like(counted, { lost: 0, deadLetters: 0 });
  t.is(letters.length, 0);
  t.is(of('results.overflow').length, 0);
});

test('beyond RESULTS_SPOOL_MIB every event of that hour that is lost is counted and told', async (t) => {
  const { bySession, counted, of } = await hourWithoutConsumer(600_000);
  let lost = 0;
  for (const events of bySession) {
    const told = events.flatMap((event) => (event.type === 'gap' ? (event.sequences ?? []) : []));
    const came = events.flatMap((event) => ('sequence' in event ? [event.sequence] : []));
    const last = came.at(-1) ?? 0;
    t.deepEqual(
      [...told, ...came].sort((one, other) => one - other),
      Array.from({ length: last }, (_, index) => index + 1),
    );
    t.is(events.findLast((event) => 'sequence' in event)?.type, 'session.ended');
    t.true(last <= 883, 'few gaps tell it');
    lost += told.length;
  }
  t.true(lost > 0);
  t.is(counted.lost, lost);
  t.true(of('results.overflow').length > 0);
});

test('what cannot be delivered for RESULTS_GIVE_UP_MS is a dead letter, and the next request says so', async (t) => {
  const { clock, store, letters, counted, of } = place();
  const sink = new TestSink();
  sink.answer = () => retry;
  const log = await store([sink]).open(sessionOf(), NEW);
  log.append(STARTED, stateAt(0));
  say(log, 1, 3);
  await clock.advance(GIVE_UP_MS + 30_000);
  t.deepEqual(
    letters.map(({ batch }) => batch.events.map(({ sequence }) => sequence)),
    [[1, 2, 3, 4]],
  );
  t.is(counted.deadLetters, 4);
  t.is(of('results.dead-letter').length, 1);
  t.is(of('results.failing').length, 1);
  // Given up counts as delivered: it is not sent again.
  t.deepEqual(log.deliveredMs, [3900, 3900]);
  sink.answer = () => ({ name: 'delivered' });
  say(log, 4, 4);
  await clock.advance(60_000);
  t.deepEqual(sink.sequences, [5, 6]);
  t.like(sink.numbered[0], { type: 'gap', cause: 'undelivered', sequences: [1, 2, 3, 4], startMs: 1000, endMs: 3900 });
  t.like(sink.numbered[0], { channels: ['CUSTOMER', 'AGENT'] });
  t.is(of('results.recovered').length, 1);
});

test('after session.ended a gap has no number, so session.ended stays the last one', async (t) => {
  const { clock, store } = place();
  const sink = new TestSink();
  sink.answer = () => retry;
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 2);
  await clock.advance(GIVE_UP_MS - MINUTE_MS);
  log.append(ENDED, stateAt(2));
  const drained = log.drained();
  await clock.advance(2 * MINUTE_MS);
  sink.answer = () => ({ name: 'delivered' });
  await clock.advance(30_000);
  t.deepEqual(
    sink.events.map(({ type }) => type),
    ['gap', 'session.ended'],
  );
  t.like(sink.events[0], { sequences: [1, 2] });
  t.false('sequence' in (sink.events[0] ?? {}));
  await drained;
});

test('410 ends it at once, and the consumer is not asked again for a while', async (t) => {
  const { clock, store, letters } = place();
  const sink = new TestSink();
  sink.answer = () => ({ name: 'given-up', error: 'HTTP 410' });
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 2);
  await clock.advance(70);
  t.is(letters.length, 1);
  say(log, 3, 3);
  await clock.advance(10_000);
  t.is(sink.attempts.length, 1);
  await clock.advance(20_000);
  t.is(sink.attempts.length, 2);
});

test('a dead letter that cannot be kept is tried again: nothing is lost', async (t) => {
  const { clock, store, letters, disk } = place();
  const sink = new TestSink();
  disk.keepsLetters = false;
  sink.answer = () => ({ name: 'given-up', error: 'HTTP 410' });
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 2);
  log.append(ENDED, stateAt(2));
  let isDrained = false;
  void log.drained().then(() => {
    isDrained = true;
  });
  await clock.advance(5 * MINUTE_MS);
  t.false(isDrained);
  disk.keepsLetters = true;
  await clock.advance(MINUTE_MS);
  t.true(isDrained);
  t.is(letters.length, 1);
});

test('a batch that is too large is halved until it fits, and only then', async (t) => {
  const { clock, store, letters } = place();
  const sink = new TestSink();
  sink.answer = ({ events }) => (events.length > 3 ? { name: 'too-large', error: 'HTTP 413' } : { name: 'delivered' });
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 20);
  await clock.advance(70);
  t.deepEqual(
    sink.sequences,
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  t.is(letters.length, 0);
  sink.answer = () => ({ name: 'too-large', error: 'HTTP 413' });
  say(log, 21, 21);
  await clock.advance(70);
  t.is(letters.length, 1);
});

test('a batch holds at most 100 events and 256 KiB', async (t) => {
  const { clock, store } = place();
  const sink = new TestSink();
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 250);
  await clock.advance(70);
  t.deepEqual(
    sink.batches.map(({ events }) => events.length),
    [100, 100, 50],
  );
  say(log, 251, 260, 'x'.repeat(20_000));
  await clock.advance(70);
  for (const { events } of sink.batches.slice(3)) {
    const bytes = events.reduce((sum, { json }) => sum + json.length, 0);
    t.true(bytes < 256 * 1024);
  }
  t.is(sink.sequences.length, 260);
});

test('hints go along in order, have no number, and are left out while deliveries fail', async (t) => {
  const { clock, store, counted } = place();
  const sink = new TestSink();
  const log = await store([sink]).open(sessionOf(), NEW);
  const hint = { type: 'speech.started', speaker: 'AGENT', atMs: 1 } as const;
  log.hint(hint);
  await clock.settle();
  t.regex(sink.batches[0]?.id ?? '', /_1_i\d+$/);
  say(log, 1, 1);
  log.hint(hint);
  say(log, 2, 2);
  await clock.advance(70);
  t.deepEqual(
    sink.events.map(({ type }) => type),
    ['speech.started', 'transcript', 'speech.started', 'transcript'],
  );
  t.regex(sink.batches[1]?.id ?? '', /_1_1-2$/);
  sink.answer = () => retry;
  say(log, 3, 3);
  await clock.advance(70);
  log.hint(hint);
  t.is(counted.hintsDropped, 1);
});

test('hints of a batch that is given up are left out, and counted as such', async (t) => {
  const { clock, store, counted, letters } = place();
  const sink = new TestSink();
  sink.answer = () => ({ name: 'given-up', error: 'HTTP 410' });
  const log = await store([sink]).open(sessionOf(), NEW);
  const hint = { type: 'speech.started', speaker: 'AGENT', atMs: 10 } as const;
  log.hint(hint);
  await clock.advance(MINUTE_MS);
  t.is(counted.hintsDropped, 1);
  sink.answer = () => ({ name: 'delivered' });
  say(log, 1, 1);
  await clock.advance(MINUTE_MS);
  sink.answer = async () => {
    await clock.sleep(1000);
    return { name: 'given-up', error: 'HTTP 410' };
  };
  say(log, 2, 2);
  await clock.advance(100);
  say(log, 3, 3);
  log.hint(hint);
  await clock.advance(2 * MINUTE_MS);
  t.is(counted.hintsDropped, 2);
  t.deepEqual(
    letters.map(({ batch }) => batch.events.map(({ sequence }) => sequence)),
    [[2], [3]],
  );
});

test('after kill -9, a session continues with its number and state, and undelivered events come first', async (t) => {
  const { clock, store, world, recover } = place();
  const [sink, after] = [new TestSink(), new TestSink()];
  const session = sessionOf();
  const log = await store([sink]).open(session, NEW);
  say(log, 1, 2);
  await clock.advance(70);
  sink.answer = () => retry;
  say(log, 3, 5);
  await clock.advance(70);
  world.folder = world.folder?.afterCrash();
  t.deepEqual(await recover(), [session.sessionId]);
  const again = await store([after]).open(session, RESUMED);
  t.is(again.epoch, 1);
  t.is(again.sequence, 5);
  t.is(again.state?.finals, 5);
  say(again, 6, 6);
  again.append(ENDED, stateAt(6));
  await Promise.all([again.drained(), clock.advance(5000)]);
  t.deepEqual([...new Set([...sink.sequences, ...after.sequences])], [1, 2, 3, 4, 5, 6, 7]);
  t.is(after.numbered.at(-1)?.type, 'session.ended');
  // Nothing is left on disk but what the next rewrite drops.
  await clock.advance(1000);
  world.folder = world.folder?.afterCrash();
  t.deepEqual(await recover(), []);
  t.deepEqual([...(world.folder?.files.keys() ?? [])], []);
});

test('a torn tail is ignored', async (t) => {
  const { clock, store, world, recover, of } = place();
  const sink = new TestSink();
  sink.answer = () => retry;
  const session = sessionOf();
  const log = await store([sink]).open(session, NEW);
  say(log, 1, 2);
  await clock.advance(70);
  say(log, 3, 3);
  await clock.advance(70);
  world.folder = world.folder?.afterCrash(0.5);
  await recover();
  t.is(of('results.spool-torn').length, 1);
  t.is((await store([new TestSink()]).open(session, RESUMED)).sequence, 2);
});

test('after another boot, or a disk that failed, a session continues as a new epoch', async (t) => {
  for (const why of ['boot', 'disk'] as const) {
    const { clock, store, world, recover, of } = place();
    const [sink, after] = [new TestSink(), new TestSink()];
    sink.answer = () => retry;
    const session = sessionOf();
    const log = await store([sink]).open(session, NEW);
    say(log, 1, 2);
    await clock.advance(70);
    if (why === 'boot') world.boot = 'boot-2';
    if (why === 'disk' && world.folder) world.folder.fault = new Error('disk full');
    say(log, 3, 3);
    await clock.advance(70);
    t.is(of('results.spool-failing').length, why === 'disk' ? 1 : 0);
    world.folder = world.folder?.afterCrash();
    await recover();
    const again = await store([after]).open(session, RESUMED);
    t.is(again.epoch, 2);
    t.is(again.sequence, 0);
    say(again, 4, 4);
    await clock.advance(1000);
    t.deepEqual(after.numbered.map(({ epoch, sequence }) => `${epoch}_${sequence}`).at(-1), '2_1');
    // The epoch outlives the next crash.
    world.folder = world.folder?.afterCrash();
    await recover();
    t.is((await store([after]).open(session, RESUMED)).epoch, 2);
  }
});

test('a resumed session without data on disk begins epoch 2, or the epoch from the fleet', async (t) => {
  const { store } = place();
  t.is((await store([new TestSink()]).open(sessionOf(), RESUMED)).epoch, 2);
  t.is((await store([new TestSink()]).open(sessionOf(), { isResumed: true, epoch: 7 })).epoch, 7);
});

test('a failing disk does not hold up deliveries, and is used again when it works', async (t) => {
  const { clock, store, world, of, recover } = place();
  const sink = new TestSink();
  const session = sessionOf();
  const log = await store([sink]).open(session, NEW);
  say(log, 1, 1);
  await clock.advance(70);
  (world.folder as { fault?: Error }).fault = new Error('no space left');
  say(log, 2, 2);
  await clock.advance(70);
  say(log, 3, 3);
  await clock.advance(70);
  t.deepEqual(sink.sequences, [1, 2, 3]);
  t.is(of('results.spool-failing').length, 1);
  (world.folder as { fault?: Error | undefined }).fault = undefined;
  await clock.advance(5000);
  say(log, 4, 4);
  await clock.advance(70);
  t.is(of('results.spool-recovered').length, 1);
  world.folder = world.folder?.afterCrash();
  await recover();
  const again = await store([sink]).open(session, RESUMED);
  t.deepEqual([again.epoch, again.sequence], [1, 4]);
});

test('without STATE_DIR events are delivered from memory', async (t) => {
  const { clock, store, world } = place();
  world.folder = undefined;
  const sink = new TestSink();
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 2);
  await clock.settle();
  t.deepEqual(sink.sequences, [1, 2]);
});

test('undelivered events of ended sessions are delivered after a restart', async (t) => {
  const { clock, store, world, recover } = place();
  const [sink, after] = [new TestSink(), new TestSink()];
  sink.answer = () => retry;
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, 2);
  log.append(ENDED, stateAt(2));
  await clock.advance(70);
  world.folder = world.folder?.afterCrash();
  const [sessionId = ''] = await recover();
  const rest = store([after]).deliverRest(sessionId, 'lost');
  await clock.advance(1000);
  await rest;
  t.deepEqual(after.sequences, [1, 2, 3]);
});

test('a session that nobody continues gets its session.ended', async (t) => {
  const { clock, store, world, recover } = place();
  const after = new TestSink();
  const log = await store([new TestSink()]).open(sessionOf(), NEW);
  say(log, 1, 2);
  await clock.advance(70);
  world.folder = world.folder?.afterCrash();
  const [sessionId = ''] = await recover();
  const rest = store([after]).deliverRest(sessionId, 'lost');
  await clock.advance(1000);
  await rest;
  t.like(after.numbered.at(-1), {
    type: 'session.ended',
    outcome: 'failed',
    reason: 'lost',
    sequence: 3,
    durationMs: 2900,
  });
});

test('sessions of a thread that ended are taken over by another one, other files stay', async (t) => {
  const { clock, store, recover, world } = place();
  const sink = new TestSink();
  const [lost, kept] = [sessionOf(), sessionOf()];
  const mine = await store([sink]).open(lost, NEW);
  const other = await store([sink]).open(kept, NEW);
  say(mine, 1, 2);
  say(other, 1, 1);
  await clock.advance(70);
  t.deepEqual(await recover(['thread-1']), [lost.sessionId]);
  t.true(world.folder?.files.has('thread-2.process1.spool'));
  t.is((await store([sink]).open(lost, RESUMED)).sequence, 2);
});

test('each sink is at its own place; delivered is what both have', async (t) => {
  const { clock, store, world, recover } = place();
  const [webhook, stream, after] = [new TestSink(), new TestSink('stream'), new TestSink()];
  webhook.answer = () => retry;
  const session = sessionOf({ stream: 'all' });
  const log = await store([webhook, stream]).open(session, NEW);
  say(log, 1, 3);
  await clock.advance(70);
  t.deepEqual(stream.sequences, [1, 2, 3]);
  t.deepEqual(log.deliveredMs, [0, 0]);
  await clock.advance(600);
  world.folder = world.folder?.afterCrash();
  await recover();
  const streamAfter = new TestSink('stream');
  await store([after, streamAfter]).open(session, RESUMED);
  await clock.advance(1000);
  t.deepEqual(after.sequences, [1, 2, 3]);
  t.deepEqual(streamAfter.sequences, []);
});

for (const keepsLetters of [true, false]) {
  const what = keepsLetters ? 'become dead letters' : 'are lost and counted';
  test(`beyond RESULTS_SPOOL_MIB the oldest events ${what}, and a gap says so`, async (t) => {
    const { clock, store, counted, letters, disk, of } = place({ mostBytes: 200_000 });
    disk.keepsLetters = keepsLetters;
    const sink = new TestSink();
    sink.answer = () => retry;
    const log = await store([sink]).open(sessionOf(), NEW);
    log.append(STARTED, stateAt(0));
    await clock.advance(70);
    say(log, 1, 400);
    await clock.settle();
    t.is(counted.lost > 0, !keepsLetters);
    t.is(letters.length > 0, keepsLetters);
    t.is(of('results.overflow').length, 1);
    sink.answer = () => ({ name: 'delivered' });
    say(log, 401, 401);
    await clock.advance(60_000);
    const gap = sink.numbered.filter(({ type }) => type === 'gap');
    const told = gap.flatMap((event) => ('sequences' in event ? (event.sequences ?? []) : []));
    const all = [...sink.sequences, ...told].sort((one, other) => one - other);
    t.deepEqual(
      all,
      Array.from({ length: log.sequence }, (_, index) => index + 1),
    );
    if (keepsLetters) {
      const kept = letters.flatMap(({ batch }) => batch.events.map(({ sequence }) => sequence));
      t.deepEqual(
        kept.sort((one = 0, other = 0) => one - other),
        told,
      );
    }
  });
}

test('the file is rewritten when more than half of it is no longer needed', async (t) => {
  const { clock, store, world } = place({ mostBytes: 4_000_000 });
  const log = await store([new TestSink()]).open(sessionOf(), NEW);
  let largest = 0;
  for (let round = 0; round < 40; round++) {
    say(log, round * 10, round * 10 + 9, 'x'.repeat(50_000));
    await clock.advance(600);
    largest = Math.max(largest, world.folder?.files.get('thread-1.process1.spool')?.length ?? 0);
  }
  // 40 MB went through it.
  t.true(largest > 4_000_000);
  t.true(largest < 8_000_000);
});

test('a process that ends gives up events that the next attempt does not deliver', async (t) => {
  const { clock, store, letters } = place();
  const sink = new TestSink();
  sink.answer = () => retry;
  const thread = store([sink]);
  const log = await thread.open(sessionOf(), NEW);
  say(log, 1, 150);
  log.append(ENDED, stateAt(2));
  await clock.advance(70);
  const settled = thread.settle();
  await clock.advance(999);
  t.is(letters.length, 0);
  const attempts = sink.attempts.length;
  thread.hurry();
  await settled;
  t.is(letters.flatMap(({ batch }) => batch.events).filter(({ sequence }) => sequence).length, 151);
  t.is(letters.length, 2);
  t.is(
    sink.attempts.length,
    attempts + 1,
    'the second batch is not tried: a consumer that hangs would take 15 s for each',
  );
});

test('so it does for a session that another process resumes, whose consumer learns what is missing', async (t) => {
  const { clock, store, letters, world, recover } = place();
  const sink = new TestSink();
  sink.answer = () => retry;
  const thread = store([sink]);
  const session = sessionOf();
  const log = await thread.open(session, NEW);
  say(log, 1, 3);
  await clock.advance(70);
  const settled = thread.settle();
  await clock.advance(1000);
  thread.hurry();
  await settled;
  t.deepEqual(
    letters.flatMap(({ batch }) => batch.events).map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  world.folder = world.folder?.afterCrash();
  await recover();
  sink.answer = () => ({ name: 'delivered' });
  const resumed = await store([sink]).open(session, RESUMED);
  t.is(resumed.epoch, 1);
  say(resumed, 4, 4);
  await clock.advance(70);
  t.like(sink.numbered.at(-2), { type: 'gap', cause: 'undelivered', sequences: [1, 2, 3], sequence: 4 });
  t.like(sink.numbered.at(-1), { type: 'transcript', sequence: 5 });
});

/** A final result of 4 s with this many words. */
function heardBy(channel: number, startS: number, count: number) {
  const words = Array.from({ length: count }, (_, index) => {
    const start = startS + index * 0.3;
    return { word: `word-${start.toFixed(1)}`, start, end: start + 0.25, confidence: 0.9 };
  });
  const transcript = words.map(({ word }) => word).join(' ');
  const alternatives = [{ transcript, confidence: 0.9, words }];
  return {
    type: 'Results',
    is_final: true,
    channel_index: [channel, 2],
    start: startS,
    duration: 4,
    channel: { alternatives },
  };
}

test('after any number of crashes it is known what the finals said: their ends, their last words, their number', async (t) => {
  const { clock, store, world, recover } = place();
  const session = sessionOf();
  let log = await store([new TestSink()]).open(session, NEW);
  let relay = new Relay(log);
  relay.started({ startedAt: '2026-01-01T00:00:00.000Z' });
  for (let nth = 0; nth < 30; nth++) {
    relay.take(heardBy(nth % 3 === 0 ? 1 : 0, nth * 4, nth % 14), 0, 1);
    // Finals share a write, or have one of their own, also after the first one since a crash.
    if (nth % 3 !== 1) await clock.advance(70);
    if (nth % 7 !== 5) continue;
    await clock.advance(70);
    const { finalMs, lastWords, finals } = relay;
    world.folder = world.folder?.afterCrash();
    await recover();
    log = await store([new TestSink()]).open(session, RESUMED);
    t.deepEqual(log.state, { finalMs, lastWords, finals });
    t.is(log.sequence, finals + 1);
    relay = new Relay(log);
  }
  t.is(relay.finals, 27);
});

/** A process that a drain's deadline ends in mid-call, whose consumer answers or not. */
async function interruptedAfterThree(answer: Delivery) {
  const scene = place();
  const { clock, store, world, recover } = scene;
  const sink = new TestSink();
  sink.answer = () => answer;
  const thread = store([sink]);
  const session = sessionOf();
  const log = await thread.open(session, NEW);
  say(log, 1, 3);
  log.append(INTERRUPTED, stateAt(3), true);
  await clock.advance(70);
  thread.hurry();
  const settled = thread.settle();
  await clock.advance(70);
  await settled;
  await thread.close();
  world.folder = world.folder?.afterCrash();
  const left = await recover();
  const next = new TestSink();
  return { ...scene, session, sink, next, left, later: store([next]) };
}

test('an interrupted session has its session.ended, and continues in the next epoch with what was said', async (t) => {
  const { clock, session, sink, next, left, later } = await interruptedAfterThree({ name: 'delivered' });
  t.like(sink.numbered.at(-1), { type: 'session.ended', reason: 'interrupted', sequence: 4 });
  t.deepEqual(left, [session.sessionId]);
  const resumed = await later.open(session, RESUMED);
  t.like(resumed, { epoch: 2, sequence: 0, hasEnded: false, wasInterrupted: true });
  t.deepEqual(resumed.state, stateAt(3));
  resumed.append(RESUMED_EVENT, stateAt(3));
  say(resumed, 4, 4);
  resumed.append(ENDED, stateAt(4));
  await clock.advance(70);
  await resumed.drained();
  t.deepEqual(
    next.numbered.map(({ type, epoch, sequence }) => `${type} ${epoch}_${sequence}`),
    ['session.resumed 2_1', 'transcript 2_2', 'session.ended 2_3'],
  );
});

test('an interrupted session that nobody resumes ends once', async (t) => {
  const { clock, session, next, later, recover, world } = await interruptedAfterThree({ name: 'delivered' });
  const delivered = later.deliverRest(session.sessionId, 'SessionLost');
  await clock.advance(1000);
  await delivered;
  t.deepEqual(next.attempts, []);
  await later.close();
  world.folder = world.folder?.afterCrash();
  t.deepEqual(await recover(), [], 'nothing is left of it');
});

test('the dead letters of an interrupted session are reported in the next epoch, after session.resumed', async (t) => {
  const { clock, session, letters, next, later } = await interruptedAfterThree(retry);
  t.deepEqual(
    letters.flatMap(({ batch }) => batch.events).map(({ type }) => type),
    ['transcript', 'transcript', 'transcript', 'session.ended'],
  );
  const resumed = await later.open(session, RESUMED);
  resumed.append(RESUMED_EVENT, stateAt(3));
  say(resumed, 4, 4);
  await clock.advance(70);
  t.deepEqual(
    next.numbered.map(({ type }) => type),
    ['session.resumed', 'gap', 'transcript'],
  );
  const gap = next.numbered[1];
  t.like(gap, { cause: 'undelivered', startMs: 1000, endMs: 3900, sequence: 2 });
  t.false(gap && 'sequences' in gap, 'they are numbers of another epoch');
});

test('the state key may change: what is on disk is sealed again', async (t) => {
  const { clock, store, world, recover } = place();
  const { Sealing } = await import('../../daemon/secrets/sealing.ts');
  const secret = { current: world.key, accepted: [world.key], renew: async () => {} };
  const sink = new TestSink();
  sink.answer = () => retry;
  const session = sessionOf();
  const log = await store([sink], { sealing: new Sealing([secret], 'results') }).open(session, NEW);
  log.append(finalOf(1), stateAt(1));
  await clock.advance(70);
  secret.current = 'another state key';
  log.append(finalOf(2), stateAt(2));
  await clock.advance(70);
  world.key = 'another state key';
  world.folder = world.folder?.afterCrash();
  t.deepEqual(await recover(), [session.sessionId]);
  t.is((await store([sink]).open(session, RESUMED)).sequence, 2);
});

test('what another key sealed is left for an operator, and said', async (t) => {
  const { clock, store, world, recover, of } = place();
  const log = await store([new TestSink()]).open(sessionOf(), NEW);
  say(log, 1, 1);
  await clock.advance(70);
  world.key = 'a wrong state key';
  t.deepEqual(await recover(), []);
  t.is(of('results.spool-unreadable').length, 1);
  t.true(world.folder?.files.has('thread-1.process1.spool.unreadable'));
});
