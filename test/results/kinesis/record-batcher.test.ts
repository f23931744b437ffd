import test from 'ava';
import type { PutRecords, StreamRecord } from '../../../daemon/results/kinesis/put-records.ts';
import { RecordBatcher } from '../../../daemon/results/kinesis/record-batcher.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const MIB = 1024 * 1024;

/** A batcher whose requests a test answers. */
function batcher(put: PutRecords) {
  const clock = new VirtualClock();
  const requests: (readonly StreamRecord[])[] = [];
  const recorded: PutRecords = (records, signal) => {
    requests.push(records);
    return put(records, signal);
  };
  return { clock, requests, batch: new RecordBatcher({ put: recorded, clock }) };
}

const record = (partitionKey: string, bytes = 10): StreamRecord => ({ partitionKey, data: Buffer.alloc(bytes) });
const written: PutRecords = async (records) => records.map(() => undefined);
const hangs: PutRecords = () => new Promise(() => {});

function failing(name: string, more: object = {}): PutRecords {
  return async () => {
    throw Object.assign(new Error('a message with a word of the call'), { name, ...more });
  };
}

test('records of many calls share a request', async (t) => {
  const { clock, requests, batch } = batcher(written);
  const outcomes = Promise.all(Array.from({ length: 300 }, (_, at) => batch.write(record(`c${at}`))));
  await clock.advance(19);
  t.is(requests.length, 0);
  await clock.advance(1);
  t.deepEqual(
    requests.map(({ length }) => length),
    [300],
  );
  t.true((await outcomes).every(({ name }) => name === 'written'));
});

test('a request has at most 500 records and 5 MiB, but always one', async (t) => {
  const { clock, requests, batch } = batcher(written);
  const many = Array.from({ length: 1100 }, (_, at) => batch.write(record(`c${at}`)));
  await clock.advance(20);
  await Promise.all(many);
  const large = Array.from({ length: 11 }, (_, at) => batch.write(record(`c${at}`, MIB)));
  await clock.advance(20);
  await Promise.all(large);
  const huge = batch.write(record('c', 6 * MIB));
  await clock.advance(20);
  await huge;
  t.deepEqual(
    requests.map(({ length }) => length),
    [500, 500, 100, 5, 5, 1, 1],
  );
});

test('records are refused one by one', async (t) => {
  const codes = [undefined, 'ProvisionedThroughputExceededException', 'KMSThrottlingException', 'InternalFailure'];
  const { clock, batch } = batcher(async () => codes);
  const outcomes = Promise.all(['a', 'b', 'c', 'd'].map((key) => batch.write(record(key))));
  await clock.advance(20);
  const [first, ...others] = await outcomes;
  t.deepEqual(first, { name: 'written' });
  t.deepEqual(
    others.map((outcome) => outcome.name === 'refused' && [outcome.error, outcome.isFinal]),
    codes.slice(1).map((code) => [code, false]),
  );
});

for (const [what, error, expected] of [
  ['throttled', { name: 'ProvisionedThroughputExceededException', $metadata: { httpStatusCode: 400 } }, '(HTTP 400)'],
  ['without permission', { name: 'AccessDeniedException' }, 'allow kinesis:PutRecords'],
  ['without a stream', { name: 'ResourceNotFoundException' }, 'check RESULTS_STREAM'],
  ['without a connection', { name: 'Error', code: 'ECONNREFUSED' }, 'ECONNREFUSED'],
] as const) {
  test(`a request ${what} fails with a reason, and may be tried again`, async (t) => {
    const { clock, batch } = batcher(failing(error.name, error));
    const outcome = batch.write(record('a'));
    await clock.advance(20);
    const { name, error: reason, isFinal } = { error: '', isFinal: true, ...(await outcome) };
    t.is(name, 'refused');
    t.true(reason.includes(expected), reason);
    t.false(reason.includes('word of the call'));
    t.false(isFinal);
  });
}

test('one record that Kinesis does not accept fails alone', async (t) => {
  const { clock, batch } = batcher(async (records) => {
    if (records.some(({ partitionKey }) => partitionKey === 'bad')) {
      throw Object.assign(new Error('1 validation error'), { name: 'ValidationException' });
    }
    return records.map(() => undefined);
  });
  const keys = ['a', 'b', 'c', 'bad', 'd', 'e', 'f'];
  const outcomes = Promise.all(keys.map((key) => batch.write(record(key))));
  await clock.advance(20);
  t.deepEqual(
    (await outcomes).map((outcome) => outcome.name === 'refused' && outcome.isFinal),
    keys.map((key) => key === 'bad'),
  );
});

test('a request without a response fails after 10 s, and does not hold up others', async (t) => {
  let isHanging = true;
  const { clock, requests, batch } = batcher((...request) => (isHanging ? hangs : written)(...request));
  const first = batch.write(record('a'));
  await clock.advance(20);
  isHanging = false;
  const second = batch.write(record('b'));
  await clock.advance(20);
  t.deepEqual(await second, { name: 'written' });
  await clock.advance(10_000);
  t.deepEqual(await first, { name: 'refused', error: 'Kinesis did not respond within 10000 ms', isFinal: false });
  t.is(requests.length, 2);
});

test('four requests are in flight at most, and then the waiting records go together', async (t) => {
  const answers: (() => void)[] = [];
  const { clock, requests, batch } = batcher(
    (records) => new Promise((resolve) => answers.push(() => resolve(records.map(() => undefined)))),
  );
  const outcomes: Promise<unknown>[] = [];
  for (let at = 0; at < 10; at++) {
    outcomes.push(batch.write(record(`c${at}`)));
    await clock.advance(20);
  }
  t.is(requests.length, 4);
  answers.shift()?.();
  await clock.settle();
  t.deepEqual(
    requests.map(({ length }) => length),
    [1, 1, 1, 1, 6],
  );
  for (const answer of answers) answer();
  await Promise.all(outcomes);
});
