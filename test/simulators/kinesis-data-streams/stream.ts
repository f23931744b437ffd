import { createHash } from 'node:crypto';

/** A record as GetRecords returns it. */
interface StoredRecord {
  readonly SequenceNumber: string;
  readonly ApproximateArrivalTimestamp: number;
  /** Base64. */
  readonly Data: string;
  readonly PartitionKey: string;
}

export interface Shard {
  readonly id: string;
  readonly firstHash: bigint;
  readonly lastHash: bigint;
  readonly records: StoredRecord[];
}

/** Partition keys are hashed by MD5 to integers of 128 bits (API reference, PutRecords). */
const HASHES = 2n ** 128n;
/** Real sequence numbers have 56 digits. */
const FIRST_SEQUENCE_NUMBER = 49590338271490256608559692538361571095921575989136588898n;

/** A data stream: its shards divide the hashes evenly, and each keeps its records in order. */
export class DataStream {
  readonly shards: readonly Shard[];
  #written = 0n;

  constructor(shardCount: number) {
    const width = HASHES / BigInt(shardCount);
    this.shards = Array.from({ length: shardCount }, (_, at) => ({
      id: `shardId-${String(at).padStart(12, '0')}`,
      firstHash: width * BigInt(at),
      lastHash: at === shardCount - 1 ? HASHES - 1n : width * BigInt(at + 1) - 1n,
      records: [],
    }));
  }

  /** The shard of a partition key. */
  shardOf(partitionKey: string): Shard {
    const hash = BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`);
    const shard = this.shards.find(({ lastHash }) => hash <= lastHash);
    if (!shard) throw new Error('the last shard ends with the last hash');
    return shard;
  }

  /** Appends to a shard; returns the sequence number. */
  append(shard: Shard, PartitionKey: string, Data: string): string {
    this.#written += 1n;
    const SequenceNumber = String(FIRST_SEQUENCE_NUMBER + this.#written);
    shard.records.push({ SequenceNumber, ApproximateArrivalTimestamp: Date.now() / 1000, Data, PartitionKey });
    return SequenceNumber;
  }
}
