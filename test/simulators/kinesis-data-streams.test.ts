import { createHash } from 'node:crypto';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import test, { type ExecutionContext } from 'ava';
import { Program } from '../support/process.ts';
import { DataStreamsControl } from './kinesis-data-streams/client.ts';

async function simulator(t: ExecutionContext, region = 'us-east-1') {
  const program = new Program('test/simulators/kinesis-data-streams/main.ts');
  t.teardown(() => program.stop());
  const control = new DataStreamsControl(await program.listening());
  const client = new KinesisClient({
    region,
    endpoint: control.url,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret' },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  });
  t.teardown(() => client.destroy());
  const put = (StreamARN: string, keys: readonly string[]) =>
    client.send(
      new PutRecordsCommand({ StreamARN, Records: keys.map((key) => ({ Data: Buffer.from(key), PartitionKey: key })) }),
    );
  return { control, client, put };
}

test('a record is in the shard whose range has the MD5 of its partition key', async (t) => {
  const { control, client, put } = await simulator(t);
  const StreamARN = await control.create('s', { shards: 7 });
  const keys = Array.from({ length: 50 }, (_, at) => `key ${at}`);
  const { Records = [], FailedRecordCount } = await put(StreamARN, keys);
  t.is(FailedRecordCount, 0);
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamARN }));
  for (const [at, key] of keys.entries()) {
    const hash = BigInt(`0x${createHash('md5').update(key).digest('hex')}`);
    const shard = Shards.find(
      ({ HashKeyRange: range }) =>
        hash >= BigInt(range?.StartingHashKey ?? -1) && hash <= BigInt(range?.EndingHashKey ?? -1),
    );
    t.is(Records[at]?.ShardId, shard?.ShardId, key);
  }
  t.is(new Set((await control.records('s')).map(({ text }) => text)).size, keys.length);
});

test('a shard is read from where a consumer says', async (t) => {
  const { control, client, put } = await simulator(t);
  const StreamARN = await control.create('s', { reverses: false });
  const { Records: [first] = [] } = await put(StreamARN, ['a', 'b']);
  const readFrom = async (from: object) => {
    const where = { StreamARN, ShardId: 'shardId-000000000000', ...from } as ConstructorParameters<
      typeof GetShardIteratorCommand
    >[0];
    const { ShardIterator } = await client.send(new GetShardIteratorCommand(where));
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
    return Records.map(({ PartitionKey }) => PartitionKey).join('');
  };
  const StartingSequenceNumber = first?.SequenceNumber;
  t.is(await readFrom({ ShardIteratorType: 'TRIM_HORIZON' }), 'ab');
  t.is(await readFrom({ ShardIteratorType: 'LATEST' }), '');
  t.is(await readFrom({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber }), 'ab');
  t.is(await readFrom({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber }), 'b');
});

test('a request may be written backwards, in part, or not at all', async (t) => {
  const { control, put } = await simulator(t);
  const StreamARN = await control.create('s', { recordsPerRequest: 2 });
  const { Records = [], FailedRecordCount } = await put(StreamARN, ['a', 'b', 'c']);
  t.is(FailedRecordCount, 1);
  t.is(Records[0]?.ErrorCode, 'ProvisionedThroughputExceededException');
  t.is((await control.records('s')).map(({ text }) => text).join(''), 'cb');
  await control.setFaults({ request: 'KMSThrottlingException' });
  await t.throwsAsync(put(StreamARN, ['d']), { name: 'KMSThrottlingException' });
  await control.setFaults({ record: 'InternalFailure', partitionKey: 'e' });
  const codes = (await put(StreamARN, ['d', 'e'])).Records?.map(({ ErrorCode }) => ErrorCode);
  t.deepEqual(codes, [undefined, 'InternalFailure']);
});

test('a lost response leaves its records written', async (t) => {
  const { control, put } = await simulator(t);
  const StreamARN = await control.create('s');
  await control.setFaults({ loseResponse: true });
  await t.throwsAsync(put(StreamARN, ['a']));
  t.is((await control.records('s')).length, 1);
});

test('what AWS refuses is refused by its name', async (t) => {
  const { control, put } = await simulator(t);
  await t.throwsAsync(put(control.arn('none'), ['a']), { name: 'ResourceNotFoundException' });
  const StreamARN = await control.create('s', { maxRecordBytes: 10 });
  await t.throwsAsync(put(StreamARN, ['a', 'larger than ten']), { name: 'ValidationException' });
  await t.throwsAsync(
    put(
      StreamARN,
      Array.from({ length: 501 }, () => 'a'),
    ),
    { name: 'ValidationException' },
  );
  const elsewhere = await simulator(t, 'eu-west-2');
  const arn = await elsewhere.control.create('s');
  await t.throwsAsync(elsewhere.put(arn, ['a']), { name: 'InvalidSignatureException' });
});
