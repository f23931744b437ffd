import test from 'ava';
import { SealedLetters } from '../../daemon/results/dead-letters/dead-letters.ts';
import { directoryBox } from '../../daemon/results/dead-letters/letter-box.ts';
import { retryLetters } from '../../daemon/results/dead-letters/retry-letters.ts';
import type { Batch } from '../../daemon/results/sink.ts';
import { Sealing } from '../../daemon/secrets/sealing.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';
import { ENDED, GIVE_UP_MS, MINUTE_MS, place, retry, say, sessionOf, stateAt, TestSink } from './event-stage.ts';
import { MemoryFolder } from './memory-folder.ts';

const NEW = { isResumed: false };
const ENVELOPE_BYTES = 512;
const delivered = { name: 'delivered' } as const;
const tooLarge = { name: 'too-large', error: 'HTTP 413' } as const;
const textOf = ({ events }: Batch) => events.map(({ sequence, type }) => sequence ?? type).join(' ');

/** A call that ended while its consumer was away; its first events are dead letters, and no gap event has said so yet. */
async function endedCall({ lost = 100, left = 250, text = 'a word' } = {}) {
  const { clock, store, letters } = place();
  const sink = new TestSink();
  sink.answer = () => retry;
  const log = await store([sink]).open(sessionOf(), NEW);
  say(log, 1, lost);
  await clock.advance(20 * MINUTE_MS);
  say(log, lost + 1, lost + left, text);
  log.append(ENDED, stateAt(lost + left));
  await clock.advance(GIVE_UP_MS - 20 * MINUTE_MS);
  return { clock, sink, letters };
}

test('a gap that is found after the end takes its place within what a request may have', async (t) => {
  for (const text of ['a word', 'x'.repeat(2560)]) {
    const { clock, sink, letters } = await endedCall({ text });
    t.is(letters.length, 1);
    sink.answer = () => delivered;
    await clock.advance(MINUTE_MS);
    t.deepEqual(
      sink.numbered.map(({ sequence }) => sequence),
      Array.from({ length: 251 }, (_, index) => 101 + index),
    );
    t.is(sink.events[0]?.type, 'gap');
    t.is(sink.events.filter(({ type }) => type === 'gap').length, 1);
    for (const { events } of sink.batches) {
      t.true(events.length <= sink.limits.events, `${events.length} events`);
      const bytes = events.reduce((sum, { json }) => sum + json.length + 1, ENVELOPE_BYTES);
      t.true(bytes <= sink.limits.bytes, `${bytes} bytes`);
    }
  }
});

test('it goes along with events of its own epoch only', async (t) => {
  const { clock, store, restart, recover, world, letters } = place();
  const [before, sink] = [new TestSink(), new TestSink()];
  before.answer = () => retry;
  const session = sessionOf();
  say(await store([before]).open(session, NEW), 1, 150);
  await clock.advance(MINUTE_MS);
  world.boot = 'boot-2';
  restart();
  await recover();
  sink.answer = () => retry;
  const log = await store([sink]).open(session, { isResumed: true });
  t.is(log.epoch, 2);
  say(log, 151, 152);
  log.append(ENDED, stateAt(152));
  // The first hundred are given up, the others are not.
  let isFirst = true;
  sink.answer = () => {
    if (!isFirst) return delivered;
    isFirst = false;
    return { name: 'given-up', error: 'HTTP 410' };
  };
  await clock.advance(5 * MINUTE_MS);
  t.is(letters.length, 1);
  const epochs = sink.batches.map(({ epoch, events }) => [
    epoch,
    ...new Set(events.map(({ json }) => JSON.parse(json.toString()).epoch)),
  ]);
  t.deepEqual(epochs, [
    [1, 1],
    [2, 2],
  ]);
  t.is(sink.events.filter(({ type }) => type === 'gap').length, 1);
});

test('it costs no event its delivery where a consumer takes one event at a time', async (t) => {
  const { clock, sink, letters } = await endedCall({ lost: 2, left: 3 });
  sink.answer = ({ events }) => (events.length > 1 ? tooLarge : delivered);
  await clock.advance(5 * MINUTE_MS);
  t.is(letters.length, 1);
  t.deepEqual(sink.batches.map(textOf), ['3', '4', '5', '6']);
});

test('parts of a dead letter have ids of their own, also those without a numbered event', async (t) => {
  const { clock, log } = place();
  const sealing = new Sealing([fixedSecret('the state key')], 'results');
  const letters = new SealedLetters({
    box: directoryBox(new MemoryFolder(), 1024 * 1024),
    sealing,
    clock,
    log,
    onLost: () => {},
  });
  const session = sessionOf();
  const { sessionId } = session;
  for (const first of [1, 5]) {
    const events = [
      { sequence: undefined, type: 'gap', json: Buffer.from(`{"first": ${first}}`) },
      { sequence: first, type: 'transcript', json: Buffer.from('{}') },
    ];
    await letters.put({
      sink: 'webhook',
      batch: { session, epoch: 1, id: `${sessionId}_1_${first}-${first}`, events },
    });
  }
  const sink = new TestSink();
  sink.answer = ({ events }) => (events.length > 1 ? tooLarge : delivered);
  t.like(await retryLetters({ letters, sinks: [sink], log }), { delivered: 2 });
  t.deepEqual(
    sink.batches.map(({ id }) => id.slice(sessionId.length)),
    ['_1_i1', '_1_1-1', '_1_i5', '_1_5-5'],
  );
});
