import test from 'ava';
import type { SessionEvents } from '../../daemon/results/session-events.ts';
import { ENDED, finalOf, MINUTE_MS, place, retry, STARTED, say, sessionOf, stateAt, TestSink } from './event-stage.ts';

const NEW = { isResumed: false };
const MOST_BYTES = 500_000;
const TEXT = 'x'.repeat(300);

type Scene = ReturnType<typeof place>;

function lettersOf({ letters }: Scene): number[] {
  return letters.map(({ batch }) => batch.events.length);
}

/** Calls of a thread whose consumers may be away, each with a final every 100 ms. */
async function calls(scene: Scene, sinks: readonly TestSink[], webhooks: readonly string[]) {
  const thread = scene.store(sinks);
  const stream = sinks.length > 1 ? 'all' : 'none';
  const logs = await Promise.all(webhooks.map((webhook) => thread.open(sessionOf({ webhook, stream }), NEW)));
  for (const log of logs) log.append(STARTED, stateAt(0));
  await scene.clock.advance(70);
  const talk = async (from: number, to: number) => {
    for (let nth = from; nth <= to; nth++) {
      for (const log of logs) log.append(finalOf(nth, TEXT), stateAt(nth));
      await scene.clock.advance(100);
    }
  };
  return { thread, logs: logs as SessionEvents[], talk };
}

function awayFor(sink: TestSink, webhook: string): void {
  sink.answer = ({ session }) => (session.webhook === webhook ? retry : { name: 'delivered' });
}

test('events that had to make room take none: what waits stays within RESULTS_SPOOL_MIB, letters are full', async (t) => {
  const scene = place({ mostBytes: MOST_BYTES });
  const sink = new TestSink();
  sink.answer = () => retry;
  const { logs, talk } = await calls(scene, [sink], ['https://a.example/', 'https://b.example/']);
  for (let round = 0; round < 10; round++) {
    await talk(round * 300 + 1, round * 300 + 300);
    const kept = logs.reduce((sum, { bytes }) => sum + bytes, 0);
    t.true(kept <= MOST_BYTES && kept > MOST_BYTES / 2, `${kept} bytes`);
  }
  const sizes = lettersOf(scene);
  t.true(sizes.length > 50);
  t.true(Math.max(...sizes) <= 100);
  t.true(sizes.reduce((sum, size) => sum + size, 0) / sizes.length > 90, 'a letter holds as much as a batch');
  t.is(scene.counted.lost, 0);
  for (const log of logs) {
    const left = [...log.queue.kept()].map(({ head }) => head?.sequence);
    t.true(left.includes(log.sequence), 'the newest stays');
  }
});

test('a consumer that keeps up loses nothing while the events of others make room', async (t) => {
  const scene = place({ mostBytes: MOST_BYTES });
  const sink = new TestSink();
  awayFor(sink, 'https://away.example/');
  const webhooks = [...Array.from({ length: 8 }, () => 'https://away.example/'), 'https://works.example/'];
  const { logs, talk } = await calls(scene, [sink], webhooks);
  await talk(1, 500);
  await scene.clock.advance(70);
  t.true(lettersOf(scene).length > 0);
  t.true(scene.letters.every(({ batch }) => batch.session.webhook === 'https://away.example/'));
  t.is(sink.sequences.length, 501);
  t.is(logs.at(-1)?.backlog.events, 0);
});

test('the backlog of a consumer that is too slow stays bounded, also while another one fails', async (t) => {
  const scene = place({ mostBytes: MOST_BYTES });
  const sink = new TestSink();
  sink.answer = async ({ session }) => {
    if (session.webhook === 'https://away.example/') return retry;
    await scene.clock.sleep(14_000);
    return { name: 'delivered' };
  };
  const { logs, talk } = await calls(scene, [sink], ['https://away.example/', 'https://slow.example/']);
  logs[0]?.append(ENDED, stateAt(0));
  await talk(1, 1500);
  const kept = logs.reduce((sum, { bytes }) => sum + bytes, 0);
  t.true(kept < 2 * MOST_BYTES, `${kept} bytes`);
});

test('what one sink has and the other does not makes room, and is a dead letter of the other only', async (t) => {
  const scene = place({ mostBytes: MOST_BYTES });
  const [webhook, stream] = [new TestSink(), new TestSink('stream')];
  webhook.answer = () => retry;
  const { logs, talk } = await calls(scene, [webhook, stream], ['https://a.example/']);
  await talk(1, 1500);
  t.true((logs[0]?.bytes ?? 0) <= MOST_BYTES);
  t.true(scene.letters.every(({ sink }) => sink === 'webhook'));
  webhook.answer = () => ({ name: 'delivered' });
  await scene.clock.advance(MINUTE_MS);
  const all = Array.from({ length: logs[0]?.sequence ?? 0 }, (_, index) => index + 1);
  t.deepEqual(stream.sequences, all);
  const letters = scene.letters.flatMap(({ batch }) => batch.events.map(({ sequence }) => sequence as number));
  t.deepEqual(
    [...webhook.sequences, ...letters].sort((one, other) => one - other),
    all,
  );
  t.deepEqual(logs[0]?.deliveredMs, [1_500_900, 1_500_900]);
});

test('a batch that waits for its next attempt makes room first, as it is the oldest', async (t) => {
  const scene = place({ mostBytes: MOST_BYTES });
  const { clock, store, restart, recover } = scene;
  const [before, sink] = [new TestSink(), new TestSink()];
  before.answer = () => retry;
  sink.answer = () => retry;
  const session = sessionOf();
  const log = await store([before]).open(session, NEW);
  log.append(STARTED, stateAt(0));
  say(log, 1, 180, TEXT);
  await clock.advance(70);
  restart();
  await recover();
  // Its first batch is all but half of the room.
  const again = await store([sink]).open(session, { isResumed: true });
  await clock.advance(MINUTE_MS);
  const attempts = sink.attempts.length;
  for (let nth = 181; nth <= 600; nth++) {
    say(again, nth, nth, TEXT);
    await clock.advance(100);
  }
  const [first] = scene.letters;
  t.is(first?.batch.events[0]?.sequence, 2, 'the oldest but session.started, which always stays');
  t.true(lettersOf(scene).every((size) => size > 90));
  t.true(sink.attempts.length - attempts < 10, 'and its consumer is not asked more often');
  sink.answer = () => ({ name: 'delivered' });
  say(again, 601, 601);
  await clock.advance(MINUTE_MS);
  const letters = scene.letters.flatMap(({ batch }) => batch.events.map(({ sequence }) => sequence as number));
  t.deepEqual(
    [...sink.sequences, ...letters].sort((one, other) => one - other),
    Array.from({ length: again.sequence }, (_, index) => index + 1),
  );
});

test('a process does not end before the letters of what had to make room are kept', async (t) => {
  const scene = place({ mostBytes: MOST_BYTES });
  const { clock } = scene;
  const sink = new TestSink();
  sink.answer = () => retry;
  let kept = 0;
  const put = async ({ batch }: { batch: { events: readonly unknown[] } }) => {
    await clock.sleep(5000);
    kept += batch.events.length;
    return 'kept' as const;
  };
  const thread = scene.store([sink], { deadLetters: { put } });
  const log = await thread.open(sessionOf(), NEW);
  log.append(STARTED, stateAt(0));
  await clock.advance(70);
  say(log, 1, 400, TEXT);
  sink.answer = () => ({ name: 'delivered' });
  let isSettled = false;
  const settled = thread.settle().then(() => {
    isSettled = true;
  });
  await clock.advance(4000);
  t.false(isSettled);
  await clock.advance(4000);
  await settled;
  t.is(kept + sink.numbered.filter(({ type }) => type === 'transcript').length, 400);
});

test('events that had to make room come again after a crash if no letter has them yet', async (t) => {
  const scene = place({ mostBytes: MOST_BYTES });
  const { clock, store, restart, recover } = scene;
  const sink = new TestSink();
  sink.answer = () => retry;
  const session = sessionOf();
  const log = await store([sink], { deadLetters: { put: () => new Promise(() => {}) } }).open(session, NEW);
  log.append(STARTED, stateAt(0));
  say(log, 1, 200, TEXT);
  await clock.advance(70);
  say(log, 201, 400, TEXT);
  await clock.advance(1000);
  restart();
  await recover();
  const after = new TestSink();
  await store([after], { mostBytes: 10 * MOST_BYTES }).open(session, { isResumed: true });
  await clock.advance(MINUTE_MS);
  const last = after.sequences.at(-1) ?? 0;
  t.true(last >= 401);
  t.is(new Set(after.sequences).size, last);
});
