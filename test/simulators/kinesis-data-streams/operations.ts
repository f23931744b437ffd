import { z } from 'zod';
import type { Faults } from './faults.ts';
import { DataStream, type Shard } from './stream.ts';

/** Quotas of PutRecords and GetRecords (Kinesis Data Streams API reference). */
const MAX_RECORDS = 500;
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_READ = 10_000;

/** An error response of Kinesis Data Streams. */
export class Refused extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

const streamName = z.string().regex(/^[\w.-]{1,128}$/);
export const streamOrder = z.strictObject({
  name: streamName,
  shards: z.int().positive().max(100).default(1),
  /** A stream's own limit, which includes the partition key. */
  maxRecordBytes: z
    .int()
    .positive()
    .default(1024 * 1024),
  /** Records that each shard accepts in one request; what is more is throttled. Null for no limit. */
  recordsPerRequest: z.int().positive().nullable().default(null),
  /** PutRecords does not promise to keep the order of its records: on, they are written backwards. */
  reverses: z.boolean().default(true),
});
type StreamOrder = z.infer<typeof streamOrder>;

const named = { StreamName: streamName.optional(), StreamARN: z.string().optional() };
const putRecords = z.strictObject({
  ...named,
  Records: z
    .array(z.strictObject({ Data: z.base64(), PartitionKey: z.string().min(1).max(256) }))
    .min(1)
    .max(MAX_RECORDS),
});
const listShards = z.strictObject(named);
const describeStreamSummary = z.strictObject(named);
const getShardIterator = z.strictObject({
  ...named,
  ShardId: z.string(),
  ShardIteratorType: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER']),
  StartingSequenceNumber: z.string().regex(/^\d+$/).optional(),
});
const getRecords = z.strictObject({
  StreamARN: z.string().optional(),
  ShardIterator: z.string(),
  Limit: z.int().positive().max(MAX_READ).default(MAX_READ),
});

interface OrderedStream {
  readonly order: StreamOrder;
  readonly stream: DataStream;
}

/** The data streams of one account in one region. */
export class DataStreams {
  readonly #region: string;
  readonly #faults: Faults;
  readonly #streams = new Map<string, OrderedStream>();

  constructor(region: string, faults: Faults) {
    this.#region = region;
    this.#faults = faults;
  }

  create(order: StreamOrder): void {
    this.#streams.set(order.name, { order, stream: new DataStream(order.shards) });
  }

  /** Executes an operation. Throws Refused. */
  execute(operation: string, input: unknown): object {
    switch (operation) {
      case 'PutRecords':
        return this.#putRecords(parsed(putRecords, input));
      case 'DescribeStreamSummary':
        return this.#describe(parsed(describeStreamSummary, input));
      case 'ListShards':
        return this.#listShards(parsed(listShards, input));
      case 'GetShardIterator':
        return this.#getShardIterator(parsed(getShardIterator, input));
      case 'GetRecords':
        return this.#getRecords(parsed(getRecords, input));
      default:
        throw new Refused('UnknownOperationException', `No operation ${operation}`);
    }
  }

  #putRecords({ Records, ...named }: z.infer<typeof putRecords>): object {
    const { order, stream } = this.#find(named);
    checkSizes(Records, order.maxRecordBytes);
    const room = new Map<Shard, number>();
    const results: object[] = [];
    // A later record of the request may be written before an earlier one.
    for (const at of order.reverses ? [...Records.keys()].reverse() : Records.keys()) {
      const { PartitionKey, Data } = Records[at] as (typeof Records)[number];
      const shard = stream.shardOf(PartitionKey);
      const left = room.get(shard) ?? order.recordsPerRequest ?? Infinity;
      room.set(shard, left - 1);
      const code = this.#faults.takeForRecord(PartitionKey) ?? (left > 0 ? undefined : THROTTLED);
      results[at] = code
        ? { ErrorCode: code, ErrorMessage: messageOf(code, order.name, shard) }
        : { SequenceNumber: stream.append(shard, PartitionKey, Data), ShardId: shard.id };
    }
    const failed = results.filter((result) => 'ErrorCode' in result).length;
    return { FailedRecordCount: failed, Records: results, EncryptionType: 'NONE' };
  }

  #describe(named: z.infer<typeof describeStreamSummary>): object {
    const { order, stream } = this.#find(named);
    const StreamARN = `arn:aws:kinesis:${this.#region}:123456789012:stream/${order.name}`;
    return {
      StreamDescriptionSummary: {
        StreamName: order.name,
        StreamARN,
        StreamStatus: 'ACTIVE',
        RetentionPeriodHours: 24,
        StreamCreationTimestamp: 0,
        EnhancedMonitoring: [],
        OpenShardCount: stream.shards.length,
      },
    };
  }

  #listShards(named: z.infer<typeof listShards>): object {
    const { shards } = this.#find(named).stream;
    return {
      Shards: shards.map(({ id, firstHash, lastHash, records }) => ({
        ShardId: id,
        HashKeyRange: { StartingHashKey: String(firstHash), EndingHashKey: String(lastHash) },
        SequenceNumberRange: { StartingSequenceNumber: records[0]?.SequenceNumber ?? '0' },
      })),
    };
  }

  #getShardIterator(input: z.infer<typeof getShardIterator>): object {
    const { order, stream } = this.#find(input);
    const shard = shardIn(stream, input.ShardId);
    return { ShardIterator: iteratorAt(order.name, shard, positionOf(input, shard)) };
  }

  #getRecords({ ShardIterator, Limit }: z.infer<typeof getRecords>): object {
    const [name = '', shardId = '', position = ''] = Buffer.from(ShardIterator, 'base64').toString().split(' ');
    const known = this.#streams.get(name);
    if (!known || !/^\d+$/.test(position)) throw new Refused('InvalidArgumentException', 'Invalid ShardIterator.');
    const shard = shardIn(known.stream, shardId);
    const Records = shard.records.slice(Number(position), Number(position) + Limit);
    const next = Number(position) + Records.length;
    return { Records, NextShardIterator: iteratorAt(name, shard, next), MillisBehindLatest: 0 };
  }

  #find({ StreamName, StreamARN }: { StreamName?: string | undefined; StreamARN?: string | undefined }): OrderedStream {
    const pattern = new RegExp(`^arn:aws:kinesis:${this.#region}:\\d{12}:stream/([\\w.-]+)$`);
    const name = StreamName ?? pattern.exec(StreamARN ?? '')?.[1];
    if (name === undefined) throw new Refused('InvalidArgumentException', 'Neither StreamName nor a valid StreamARN.');
    const found = this.#streams.get(name);
    if (!found) throw new Refused('ResourceNotFoundException', `Stream ${name} under account 123456789012 not found.`);
    return found;
  }
}

const THROTTLED = 'ProvisionedThroughputExceededException';

function messageOf(code: string, stream: string, { id }: Shard): string {
  if (code !== THROTTLED) return 'Internal Service Failure';
  return `Rate exceeded for shard ${id} in stream ${stream} under account 123456789012.`;
}

function checkSizes(records: z.infer<typeof putRecords>['Records'], maxRecordBytes: number): void {
  const sizes = records.map(({ Data, PartitionKey }) => Buffer.byteLength(Data, 'base64') + PartitionKey.length);
  const oversized = sizes.findIndex((bytes) => bytes > maxRecordBytes);
  if (oversized >= 0) {
    const constraint = `Member must have length less than or equal to ${maxRecordBytes}`;
    const message = `1 validation error detected: Value at 'records.${oversized + 1}.member.data' failed: ${constraint}`;
    throw new Refused('ValidationException', message);
  }
  if (sizes.reduce((sum, bytes) => sum + bytes, 0) > MAX_REQUEST_BYTES) {
    throw new Refused('InvalidArgumentException', 'Records size exceeds the limit of a request');
  }
}

function shardIn(stream: DataStream, id: string): Shard {
  const shard = stream.shards.find((each) => each.id === id);
  if (!shard) throw new Refused('ResourceNotFoundException', `Shard ${id} not found.`);
  return shard;
}

function positionOf(input: z.infer<typeof getShardIterator>, { records }: Shard): number {
  const { ShardIteratorType: type, StartingSequenceNumber: number } = input;
  if (type === 'TRIM_HORIZON') return 0;
  if (type === 'LATEST') return records.length;
  const at = records.findIndex(({ SequenceNumber }) => SequenceNumber === number);
  if (at < 0) throw new Refused('InvalidArgumentException', `No record has the sequence number ${number}.`);
  return type === 'AT_SEQUENCE_NUMBER' ? at : at + 1;
}

function iteratorAt(stream: string, { id }: Shard, position: number): string {
  return Buffer.from(`${stream} ${id} ${position}`).toString('base64');
}

function parsed<Input>(schema: z.ZodType<Input>, input: unknown): Input {
  const { data, error } = schema.safeParse(input);
  if (error) throw new Refused('ValidationException', z.prettifyError(error));
  return data as Input;
}
