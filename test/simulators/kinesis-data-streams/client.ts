import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient, ListShardsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { z } from 'zod';
import { readRecorded, sendOrder } from '../control-client.ts';
import type { PutRequest } from './api.ts';
import type { faultRules } from './faults.ts';
import type { streamOrder } from './operations.ts';

/** The simulator's default. */
const REGION = 'us-east-1';
/** The simulator does not know the secret, and so accepts any. */
const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI' };

/** Faults of PutRecords requests, or of single records. */
type DataStreamFault = z.input<typeof faultRules>[number];

/** A record that was read back. */
interface ReadRecord {
  readonly shardId: string;
  readonly partitionKey: string;
  readonly text: string;
}

/** Controls a Kinesis Data Streams simulator that listens at `url`, and reads its streams by the SDK. */
export class DataStreamsControl {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** What leads the SDK's clients here. */
  get environment(): Record<string, string> {
    const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = CREDENTIALS;
    return { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_KINESIS: this.url };
  }

  /** The ARN of a stream, whether it exists or not. */
  arn(name: string): string {
    return `arn:aws:kinesis:${REGION}:123456789012:stream/${name}`;
  }

  /** Creates a stream, or empties it; returns its ARN. */
  async create(name: string, order: Omit<z.input<typeof streamOrder>, 'name'> = {}): Promise<string> {
    await sendOrder(this.url, 'streams', { name, ...order });
    return this.arn(name);
  }

  /** Replaces the faults. */
  async setFaults(...faults: readonly DataStreamFault[]): Promise<void> {
    await sendOrder(this.url, 'faults', faults);
  }

  /** All PutRecords requests so far, oldest first. */
  requests(): Promise<PutRequest[]> {
    return readRecorded(this.url, 'requests');
  }

  /** All records of a stream, shard by shard, each shard's in order. */
  async records(name: string): Promise<ReadRecord[]> {
    const client = this.#connect();
    const StreamARN = this.arn(name);
    try {
      const { Shards = [] } = await client.send(new ListShardsCommand({ StreamARN }));
      const read: ReadRecord[] = [];
      for (const { ShardId } of Shards) {
        const from = { StreamARN, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
        const { ShardIterator } = await client.send(new GetShardIteratorCommand(from));
        read.push(...(await this.#readShard(client, ShardId ?? '', ShardIterator)));
      }
      return read;
    } finally {
      client.destroy();
    }
  }

  /** The SDK's client for this simulator. */
  #connect(): KinesisClient {
    return new KinesisClient({
      region: REGION,
      endpoint: this.url,
      credentials: CREDENTIALS,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
    });
  }

  async #readShard(client: KinesisClient, shardId: string, first: string | undefined): Promise<ReadRecord[]> {
    const read: ReadRecord[] = [];
    for (let ShardIterator = first; ShardIterator; ) {
      const { Records = [], NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator }));
      if (Records.length === 0) break;
      for (const { PartitionKey = '', Data } of Records) {
        read.push({ shardId, partitionKey: PartitionKey, text: Buffer.from(Data ?? []).toString() });
      }
      ShardIterator = NextShardIterator;
    }
    return read;
  }
}
