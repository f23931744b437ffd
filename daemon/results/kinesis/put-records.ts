import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { orAborted } from '../../runtime/abort.ts';
import type { Millis } from '../../runtime/clock.ts';
import { Egress } from '../../runtime/egress.ts';

/** A record on its way to the stream. */
export interface StreamRecord {
  /** Records with the same key are in one shard, and so can be read in order. */
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/**
 * Writes records in one request, in any order. Resolves with an error code for each record, in their order, undefined
 * for those that were written. Rejects if the request failed, which may have happened after it was executed.
 */
export type PutRecords = (records: readonly StreamRecord[], signal: AbortSignal) => Promise<(string | undefined)[]>;

export interface StreamConnection {
  readonly put: PutRecords;
  /** Rejects if the stream cannot be described, or is not there. */
  probe(signal: AbortSignal): Promise<void>;
  /** Closes idle connections. */
  close(): void;
}

const CONNECT_TIMEOUT_MS: Millis = 3000;
/** The SDK's own default: requests wait for one of them. */
const MOST_SOCKETS = 50;

/**
 * Connects to a stream in its ARN's region, with the SDK's default credentials and AWS_ENDPOINT_URL_KINESIS. Loads the
 * SDK on the first request.
 */
export function connectStream(arn: string, egress = new Egress()): StreamConnection {
  let client: KinesisClient | undefined;
  const connect = async () => {
    const [sdk, { NodeHttpHandler }] = await Promise.all([
      import('@aws-sdk/client-kinesis'),
      import('@smithy/node-http-handler'),
    ]);
    client ??= new sdk.KinesisClient({
      region: arn.split(':')[3] ?? '',
      // The caller retries: a retry of all records would repeat those that were written.
      maxAttempts: 1,
      // This client's default is HTTP/2, for SubscribeToShard only.
      requestHandler: new NodeHttpHandler({
        connectionTimeout: CONNECT_TIMEOUT_MS,
        httpsAgent: egress.agent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
      }),
    });
    return { sdk, client };
  };
  return {
    async put(records, signal) {
      const connected = await connect();
      const command = new connected.sdk.PutRecordsCommand({
        StreamARN: arn,
        Records: records.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data })),
      });
      const { Records: results = [] } = await connected.client.send(command, { abortSignal: signal });
      return records.map((_, at) => {
        const result = results[at];
        return result?.SequenceNumber === undefined ? (result?.ErrorCode ?? 'NoResult') : undefined;
      });
    },
    async probe(signal) {
      const connected = await connect();
      const command = new connected.sdk.DescribeStreamSummaryCommand({ StreamARN: arn });
      // The SDK ignores the signal while it looks for credentials.
      await orAborted(connected.client.send(command, { abortSignal: signal }), signal);
    },
    close: () => client?.destroy(),
  };
}
