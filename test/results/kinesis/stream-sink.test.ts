import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { NumberedEvent } from '../../../daemon/contract/events.ts';
import { connectStream, type PutRecords } from '../../../daemon/results/kinesis/put-records.ts';
import { StreamSink } from '../../../daemon/results/kinesis/stream-sink.ts';
import type { SinkSession } from '../../../daemon/results/sink.ts';
import { systemClock } from '../../../daemon/runtime/clock.ts';
import { DataStreamsControl } from '../../simulators/kinesis-data-streams/client.ts';
import { Program } from '../../support/process.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { ended, final, INSTANCE_ARN, numbered, started } from '../events-of-a-call.ts';
import { ConcatenatingConsumer, UtteranceConsumer } from './consumers.ts';

function session(changes: Partial<SinkSession> = {}): SinkSession {
  const facts = { contact: { instanceArn: INSTANCE_ARN }, webhook: undefined, stream: 'all' } as const;
  return { sessionId: randomUUID(), contactId: 'contact-1', ...facts, ...changes };
}

function sinkThat(put: PutRecords) {
  const { log, of } = recordedLog();
  const clock = new VirtualClock();
  return { clock, of, sink: new StreamSink({ connection: { put, close: () => {} }, clock, log }) };
}

const batchOf = (to: SinkSession, event: NumberedEvent) => ({
  session: to,
  epoch: event.epoch,
  id: event.id,
  events: [{ sequence: event.sequence, type: event.type, json: Buffer.from(JSON.stringify(event)) }],
});

async function attempt(put: PutRecords, event: NumberedEvent) {
  const { clock, sink } = sinkThat(put);
  const delivery = sink.deliver(batchOf(session(), event));
  await clock.advance(20);
  return delivery;
}

test('takes numbered events, and of a call with a callback of its own all but transcripts', (t) => {
  const { sink } = sinkThat(async () => []);
  const types = ['session.started', 'transcript', 'gap', 'session.resumed', 'session.ended'];
  const taken = (stream: SinkSession['stream'], isHint = false) =>
    types.filter((type) => sink.takes(session({ stream }), type, isHint));
  t.deepEqual(taken('all'), types);
  t.deepEqual(
    taken('session-events'),
    types.filter((type) => type !== 'transcript'),
  );
  t.deepEqual(taken('none'), []);
  t.deepEqual(taken('all', true), [], 'an Utterance stays, so an interim must not become one');
});

test('a session without its Connect instance is left out, with one warning', (t) => {
  const { sink, of } = sinkThat(async () => []);
  for (const contact of [undefined, {}, { instanceArn: 'not an ARN' }]) {
    const incomplete = session({ contact });
    for (const type of ['session.started', 'transcript', 'session.ended']) t.false(sink.takes(incomplete, type, false));
  }
  t.is(of('results.no-instance').length, 3);
  t.is(of('results.no-instance')[0]?.['contactId'], 'contact-1');
});

test('the outcome says whether another attempt can help', async (t) => {
  const [event] = numbered([final('AGENT', 0, 'hello')], { sessionId: randomUUID() });
  if (!event) return t.fail();
  t.deepEqual(await attempt(async () => [undefined], event), { name: 'delivered' });
  t.deepEqual(await attempt(async () => ['InternalFailure'], event), { name: 'retry', error: 'InternalFailure' });
  const invalid = () => Promise.reject(Object.assign(new Error('hello'), { name: 'ValidationException' }));
  t.deepEqual(await attempt(invalid, event), { name: 'given-up', error: 'PutRecords failed: ValidationException' });
  const oversized: NumberedEvent = { ...event, ...final('AGENT', 0, 'x'.repeat(1024 * 1024)) };
  t.is((await attempt(async () => [undefined], oversized)).name, 'given-up');
});

const FINALS = 12;

for (const reverses of [true, false]) {
  // Serial, because the SDK finds the simulator by this process's environment.
  test.serial(
    `every call arrives in order through ${reverses ? 'reversed ' : ''}partial failures and lost responses`,
    async (t) => {
      const { kinesis, put } = await simulated(t, { shards: 3, recordsPerRequest: 9, reverses });
      await kinesis.setFaults(
        { request: 'KMSThrottlingException' },
        { request: 'InternalFailureException', status: 500, times: 2 },
        { loseResponse: true, times: 2 },
        { record: 'InternalFailure', times: 40 },
      );
      const sink = new StreamSink({ connection: { put, close: () => {} }, clock: systemClock, log: recordedLog().log });
      const calls = Array.from({ length: 40 }, (_, at) => session({ contactId: `contact-${at}` }));
      await Promise.all(calls.map((call) => deliverCall(sink, call)));

      const records = await kinesis.records('transcripts');
      for (const { contactId } of calls) {
        const own = records.filter(({ partitionKey }) => partitionKey === contactId);
        t.is(new Set(own.map(({ shardId }) => shardId)).size, 1);
        const concatenating = new ConcatenatingConsumer();
        const utterances = new UtteranceConsumer();
        for (const { text } of own) {
          concatenating.read(text);
          utterances.read(text);
        }
        const expected = Array.from({ length: FINALS }, (_, at) => `word ${at} of ${contactId}`);
        t.deepEqual(
          concatenating.lines.map(({ text }) => text),
          expected,
        );
        t.deepEqual(
          utterances.lines.map(({ text }) => text),
          expected,
        );
        t.deepEqual([concatenating.conflicts, concatenating.unfinished], [[], 0]);
        t.is(concatenating.seen[0], 'STARTED');
        t.is(concatenating.seen.at(-1), 'COMPLETED');
        // A repeat follows its original directly: order survives.
        const sequences = own.map(({ text }) => Number(JSON.parse(text).Integratord.sequence));
        t.deepEqual(
          sequences,
          sequences.toSorted((one, other) => one - other),
        );
      }
      const requests = await kinesis.requests();
      t.true(requests.some(({ status }) => status === undefined || status >= 400));
      for (const { partitionKeys } of requests) {
        t.is(new Set(partitionKeys).size, partitionKeys.length, 'one record of a call at a time');
      }
    },
  );
}

test.serial("a record above the stream's own limit fails alone", async (t) => {
  const { kinesis, put } = await simulated(t, { maxRecordBytes: 2000 });
  const { log } = recordedLog();
  const sink = new StreamSink({ connection: { put, close: () => {} }, clock: systemClock, log });
  const [small, large] = [session({ contactId: 'small' }), session({ contactId: 'large' })];
  const [short] = numbered([started()], small);
  const [long] = numbered([final('AGENT', 0, 'word '.repeat(1000).trim())], large);
  if (!short || !long) return t.fail();
  const deliveries = await Promise.all([sink.deliver(batchOf(small, short)), sink.deliver(batchOf(large, long))]);
  t.deepEqual(
    deliveries.map(({ name }) => name),
    ['delivered', 'given-up'],
  );
  t.deepEqual(
    (await kinesis.records('transcripts')).map(({ partitionKey }) => partitionKey),
    ['small'],
  );
});

/** Delivers a call's events one after the other, as the delivery loop does, but without its pauses. */
async function deliverCall(sink: StreamSink, call: SinkSession): Promise<void> {
  const finals = Array.from({ length: FINALS }, (_, at) =>
    final(at % 2 === 0 ? 'AGENT' : 'CUSTOMER', at * 2000, `word ${at} of ${call.contactId}`),
  );
  for (const event of numbered([started(), ...finals, ended()], call)) {
    for (;;) {
      const delivery = await sink.deliver(batchOf(call, event));
      if (delivery.name === 'delivered') break;
      if (delivery.name !== 'retry') throw new Error(JSON.stringify(delivery));
    }
  }
}

/** A simulator with the stream `transcripts`, and our connection to it. */
async function simulated(
  t: { teardown: (fn: () => unknown) => void },
  order: Parameters<DataStreamsControl['create']>[1],
) {
  const program = new Program('test/simulators/kinesis-data-streams/main.ts');
  t.teardown(() => program.stop());
  const kinesis = new DataStreamsControl(await program.listening());
  const arn = await kinesis.create('transcripts', order);
  Object.assign(process.env, kinesis.environment);
  const connection = connectStream(arn);
  await connection.put([{ partitionKey: 'warm-up', data: Buffer.from('{}') }], systemClock.timeout(10_000));
  await kinesis.create('transcripts', order);
  t.teardown(() => connection.close());
  return { kinesis, put: connection.put };
}
