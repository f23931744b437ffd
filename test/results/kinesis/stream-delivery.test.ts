import test from 'ava';
import fc from 'fast-check';
import type { PutRecords } from '../../../daemon/results/kinesis/put-records.ts';
import { StreamSink } from '../../../daemon/results/kinesis/stream-sink.ts';
import { randomFrom } from '../../support/random.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { ENDED, GIVE_UP_MS, MINUTE_MS, place, STARTED, say, sessionOf, stateAt } from '../event-stage.ts';
import { INSTANCE_ARN } from '../events-of-a-call.ts';
import { ConcatenatingConsumer } from './consumers.ts';

const CALLS = 5;
const FINALS = 8;

/** A stream that fails as `random` says, whole requests or single records, and writes the rest backwards. */
function unreliable(random: () => number, written: string[]): PutRecords {
  return async (records) => {
    if (random() < 0.2) throw Object.assign(new Error('no'), { name: 'InternalFailureException' });
    const codes = records.map(() => (random() < 0.3 ? 'ProvisionedThroughputExceededException' : undefined));
    for (const [at, { data }] of [...records.entries()].reverse())
      if (codes[at] === undefined) written.push(Buffer.from(data).toString());
    if (random() < 0.1) throw Object.assign(new Error('reset'), { name: 'Error', code: 'ECONNRESET' });
    return codes;
  };
}

test('calls arrive in order and whole, whatever the stream refuses', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const { clock, store } = place();
      const random = randomFrom(seed);
      const written: string[] = [];
      const { log } = recordedLog();
      const put = unreliable(random, written);
      const sink = new StreamSink({ connection: { put, close: () => {} }, clock, log });
      const events = store([sink]);
      const facts = {
        contact: { instanceArn: INSTANCE_ARN },
        webhook: undefined,
        stream: 'all',
        language: 'de',
      } as const;
      for (let nth = 0; nth < CALLS; nth++) {
        const call = await events.open(sessionOf({ ...facts, contactId: `contact-${nth}` }), { isResumed: false });
        call.append(STARTED, stateAt(0));
        say(call, 1, FINALS);
        call.append(ENDED, stateAt(FINALS));
      }
      await clock.advance(30 * MINUTE_MS);
      for (let nth = 0; nth < CALLS; nth++) {
        const own = written.filter((text) => JSON.parse(text).ContactId === `contact-${nth}`);
        const consumer = new ConcatenatingConsumer();
        for (const text of own) consumer.read(text);
        t.deepEqual(
          consumer.lines.map(({ text }) => text),
          Array.from({ length: FINALS }, (_, at) => `word ${at + 1}`),
        );
        t.is(consumer.seen.at(-1), 'COMPLETED');
        t.is(JSON.parse(own[0] ?? '').LanguageCode, 'de');
      }
    }),
    { numRuns: 20 },
  );
});

test('a stream that returns after an event was given up gets every later one, the end of the call too', async (t) => {
  const { clock, store, letters } = place();
  const { log } = recordedLog();
  const written: string[] = [];
  let isThere = false;
  const put: PutRecords = async (records) => {
    if (!isThere) throw Object.assign(new Error('no'), { name: 'ResourceNotFoundException' });
    written.push(...records.map(({ data }) => Buffer.from(data).toString()));
    return records.map(() => undefined);
  };
  const sink = new StreamSink({ connection: { put, close: () => {} }, clock, log });
  const facts = { contact: { instanceArn: INSTANCE_ARN }, webhook: undefined, stream: 'all' } as const;
  const call = await store([sink]).open(sessionOf(facts), { isResumed: false });
  call.append(STARTED, stateAt(0));
  await clock.advance(30 * MINUTE_MS);
  say(call, 1, 2);
  call.append(ENDED, stateAt(2));
  await clock.advance(GIVE_UP_MS - 30 * MINUTE_MS);
  t.is(letters.length, 1);
  isThere = true;
  await clock.advance(5 * MINUTE_MS);
  const records = written.map((text) => JSON.parse(text));
  t.deepEqual(
    records.map(({ Integratord }) => Integratord.sequence),
    [2, 3, 4],
  );
  t.is(records.at(-1).EventType, 'COMPLETED');
});
