import test from 'ava';
import { ENDED, place, retry, STARTED, say, sessionOf, stateAt, TestSink } from './event-stage.ts';
import { MemoryFolder } from './memory-folder.ts';

const NEW = { isResumed: false };
const RESUMED = { isResumed: true };
/** Threads have the same names in every process. */
const THREAD = { thread: 'worker-1' };

/** Ids that came with two contents: a consumer drops the second one. */
function idsUsedTwice(sinks: readonly TestSink[]): string[] {
  const contents = new Map<string, Set<string>>();
  for (const event of sinks.flatMap(({ numbered }) => numbered)) {
    const { id } = event;
    contents.set(id, (contents.get(id) ?? new Set()).add(JSON.stringify(event)));
  }
  return [...contents].filter(([, texts]) => texts.size > 1).map(([id]) => id);
}

/** A process whose consumer is away is killed with three ended calls undelivered, and one that is running. */
async function killedWithUndelivered() {
  const scene = place();
  const { clock, store } = scene;
  const away = new TestSink();
  away.answer = () => retry;
  const thread = store([away], THREAD);
  const sessions = Array.from({ length: 4 }, () => sessionOf());
  for (const [index, session] of sessions.entries()) {
    const log = await thread.open(session, NEW);
    log.append(STARTED, stateAt(0));
    say(log, 1, 5);
    if (index < 3) log.append(ENDED, stateAt(5));
  }
  await clock.advance(70);
  const [ended, running] = [sessions.slice(0, 3), sessions[3] as (typeof sessions)[0]];
  return { ...scene, ended, running };
}

for (const state of ['full', 'read-only'] as const) {
  test(`a start on a disk that is ${state} delivers what waits, and the file stays until another start`, async (t) => {
    const { clock, store, world, restart, recover, of, ended, running } = await killedWithUndelivered();
    restart(state);
    const before = world.folder?.files.get('worker-1.process1.spool');
    const left = await recover();
    t.deepEqual(new Set(left), new Set([...ended, running].map(({ sessionId }) => sessionId)));
    t.is(of('results.spool-left').length, 1);
    const sink = new TestSink();
    const thread = store([sink], THREAD);
    const resumed = await thread.open(running, RESUMED);
    t.is(resumed.epoch, 2, 'a disk that refuses a recovery may have refused what came before it');
    const rest = ended.map(({ sessionId }) => thread.deliverRest(sessionId, 'SessionLost'));
    resumed.append(ENDED, stateAt(5));
    const drained = resumed.drained();
    await clock.advance(1000);
    await Promise.all([...rest, drained]);
    for (const { sessionId } of ended) {
      const numbers = sink.numbered.filter((event) => event.sessionId === sessionId).map(({ sequence }) => sequence);
      t.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7]);
    }
    t.is(world.folder?.files.get('worker-1.process1.spool'), before);

    if (world.folder) world.folder.state = 'works';
    await clock.advance(6000);
    t.is(world.folder?.files.get('worker-1.process1.spool'), before);
    await thread.close();
    restart();
    t.deepEqual(await recover(), [], 'what was delivered does not come back');
    t.deepEqual([...(world.folder?.files.keys() ?? [])], []);
  });
}

test('a process that is killed before it could write leaves the file of the one before to the next', async (t) => {
  const { clock, store, restart, recover, ended, running } = await killedWithUndelivered();
  const sink = new TestSink();
  restart('full');
  await recover();
  const log = await store([sink], THREAD).open(sessionOf(), NEW);
  log.append(STARTED, stateAt(0));
  const second = await store([sink], THREAD).open(running, RESUMED);
  say(second, 6, 7);
  await clock.advance(70);
  t.is(second.epoch, 2);
  restart();
  const left = await recover();
  for (const { sessionId } of ended) t.true(left.includes(sessionId));
  const third = await store([sink], THREAD).open(running, RESUMED);
  t.is(third.epoch, 3, 'of epoch 2 nothing is on disk but a mark');
  say(third, 8, 9);
  await clock.advance(70);
  t.deepEqual(idsUsedTwice([sink]), []);
});

test('sessions of a thread that ended while the disk is full continue on another one, and end once', async (t) => {
  const { clock, store, world, restart, recover, of } = place();
  const sink = new TestSink();
  const session = sessionOf();
  const log = await store([sink], THREAD).open(session, NEW);
  log.append(STARTED, stateAt(0));
  say(log, 1, 2);
  await clock.advance(700);
  if (world.folder) world.folder.state = 'full';
  t.deepEqual(await recover(['worker-1']), [session.sessionId]);
  t.is(of('results.spool-left').length, 1);
  const other = store([sink], { thread: 'worker-2' });
  const again = await other.open(session, RESUMED);
  t.is(again.epoch, 2);
  say(again, 3, 3);
  again.append(ENDED, stateAt(3));
  await clock.advance(1000);
  await again.drained();
  if (world.folder) world.folder.state = 'works';
  await clock.advance(6000);
  await other.close();
  t.deepEqual(idsUsedTwice([sink]), []);
  restart();
  t.deepEqual(await recover(), []);
});

test('files of the version before are recovered', async (t) => {
  const { clock, store, world, restart, recover } = place();
  const sink = new TestSink();
  sink.answer = () => retry;
  const sessions = [sessionOf(), sessionOf(), sessionOf()] as const;
  for (const [index, session] of sessions.entries()) {
    const log = await store([sink], { thread: `worker-${index + 1}` }).open(session, NEW);
    log.append(STARTED, stateAt(0));
    say(log, 1, 2);
  }
  await clock.advance(70);
  restart();
  await world.folder?.rename('worker-1.process1.spool', 'worker-1.spool');
  await world.folder?.rename('worker-2.process1.spool', 'worker-2.spool.stale');
  await recover();
  restart();
  t.deepEqual(
    [...(world.folder?.files.keys() ?? [])].sort(),
    sessions.map((each) => `${each.sessionId}.session`).sort(),
  );
  t.is((await recover()).length, 3);
  const thread = store([new TestSink()], THREAD);
  const logs = await Promise.all(sessions.map((session) => thread.open(session, RESUMED)));
  t.deepEqual(
    logs.map(({ epoch, sequence }) => `${epoch}_${sequence}`),
    ['1_3', '2_0', '1_3'],
  );
});

/** A session that has said two things before its disk fails, and three after it. */
async function failing(state: 'full' | 'read-only', runtime?: MemoryFolder) {
  const scene = place();
  const { clock, store, world } = scene;
  world.runtime = runtime;
  const sink = new TestSink();
  const session = sessionOf();
  const thread = store([sink], THREAD);
  const log = await thread.open(session, NEW);
  log.append(STARTED, stateAt(0));
  say(log, 1, 1);
  await clock.advance(1000);
  if (world.folder) world.folder.state = state;
  for (let nth = 2; nth <= 4; nth++) {
    say(log, nth, nth);
    await clock.advance(1000);
  }
  if (sink.sequences.length !== 5) throw new Error('a failing disk holds up deliveries');
  return { ...scene, sink, session, log };
}

for (const state of ['full', 'read-only'] as const) {
  test(`after a disk that was ${state}, which works again, a session continues in the next epoch`, async (t) => {
    const { clock, store, world, restart, recover, sink, session } = await failing(state, new MemoryFolder());
    restart();
    t.deepEqual(await recover(), [session.sessionId]);
    t.is(world.runtime?.files.size, 0, 'the mark goes with the file');
    const again = await store([sink], THREAD).open(session, RESUMED);
    t.is(again.epoch, 2);
    say(again, 5, 9);
    await clock.advance(70);
    t.deepEqual(idsUsedTwice([sink]), []);
    restart();
    await recover();
    t.is((await store([sink], THREAD).open(session, RESUMED)).epoch, 2, 'and once only');
  });
}

test('a disk that was read-only and takes names again is marked at the next attempt', async (t) => {
  const { clock, store, world, restart, recover, sink, session, log } = await failing('read-only');
  if (world.folder) world.folder.state = 'full';
  await clock.advance(5000);
  say(log, 5, 5);
  await clock.advance(70);
  t.true(world.folder?.files.has('worker-1.process1.spool.stale'));
  restart();
  await recover();
  t.is((await store([sink], THREAD).open(session, RESUMED)).epoch, 2);
});

test('a disk that works again is written without waiting for an event, and nothing is stale then', async (t) => {
  const { clock, store, world, restart, recover, of, sink, session } = await failing('read-only', new MemoryFolder());
  t.is(world.runtime?.files.size, 1);
  if (world.folder) world.folder.state = 'works';
  await clock.advance(10_000);
  t.is(of('results.spool-recovered').length, 1);
  t.is(world.runtime?.files.size, 0);
  t.deepEqual([...(world.folder?.files.keys() ?? [])], ['worker-1.process1.spool']);
  restart();
  await recover();
  const again = await store([sink], THREAD).open(session, RESUMED);
  t.deepEqual([again.epoch, again.sequence], [1, 5]);
});

for (const until of ['the disk works again', 'the call is over'] as const) {
  test(`a full disk at a take-over keeps the session's file until ${until}`, async (t) => {
    const { clock, store, world, restart, recover, sink, session } = await failing('full', new MemoryFolder());
    restart();
    await recover();
    if (world.folder) world.folder.state = 'full';
    const thread = store([sink], THREAD);
    const log = await thread.open(session, RESUMED);
    say(log, 5, 6);
    await clock.advance(500);
    const ownFile = `${session.sessionId}.session`;
    const mark = `${session.sessionId}.2.behind`;
    t.true(world.folder?.files.has(ownFile) && world.folder.files.has(mark));
    if (until === 'the disk works again' && world.folder) {
      world.folder.state = 'works';
      await clock.advance(6000);
    } else {
      log.append(ENDED, stateAt(6));
      await clock.advance(1000);
      await log.drained();
    }
    t.false(world.folder?.files.has(ownFile) || world.folder?.files.has(mark));
    if (until === 'the disk works again') {
      log.append(ENDED, stateAt(6));
      await clock.advance(1000);
    }
    if (world.folder) world.folder.state = 'works';
    await thread.close();
    restart();
    t.deepEqual(await recover(), []);
    t.is(log.epoch, 2);
  });
}

test('a file that cannot be removed does not bring a session back that is over', async (t) => {
  const { clock, store, world, restart, recover, sink, session } = await failing('full', new MemoryFolder());
  restart();
  await recover();
  const thread = store([sink], THREAD);
  if (world.folder) world.folder.state = 'read-only';
  const log = await thread.open(session, RESUMED);
  log.append(ENDED, stateAt(4));
  await clock.advance(1000);
  await log.drained();
  t.true(world.folder?.files.has(`${session.sessionId}.session`));
  if (world.folder) world.folder.state = 'works';
  await clock.advance(6000);
  await thread.close();
  restart();
  t.deepEqual(await recover(), []);
  t.deepEqual([...(world.folder?.files.keys() ?? [])], []);
});
