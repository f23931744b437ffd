import { createServer, type RequestListener } from 'node:http';
import { Command } from 'commander';
import { serve } from '../serve.ts';
import { KinesisVideo } from './aws.ts';
import { serverFor } from './server.ts';

/** "the body just ends" after some seconds without a new fragment (daemon/kinesis/README.md). */
const IDLE_END_MS = 5_000;
/** The service closes a connection that is about 45 minutes old (daemon/kinesis/README.md). */
const MAX_CONNECTION_MS = 45 * 60_000;

const options = new Command('kinesis-video')
  .description('Stands in for Amazon Kinesis Video Streams: GetDataEndpoint, GetMedia, and controls under /standin/.')
  .option('--port <number>', 'port on 127.0.0.1; 0 takes a free one', Number, 0)
  .option('--region <name>', 'region that requests have to be signed for', 'us-east-1')
  .option('--idle-end-ms <ms>', 'a GetMedia body ends after so long with no new fragment', Number, IDLE_END_MS)
  .option('--max-connection-ms <ms>', 'a GetMedia body ends when it is this old', Number, MAX_CONNECTION_MS)
  .option('--no-rate-limit', 'allow more than 5 requests per second per stream')
  .parse()
  .opts<{ port: number; region: string; idleEndMs: number; maxConnectionMs: number; rateLimit: boolean }>();

const kinesis = new KinesisVideo(options);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => kinesis.calls.stop());
await serve(createServer(serverFor(kinesis).handler as RequestListener), options.port);
