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
  .description('Simulates Amazon Kinesis Video Streams: GetDataEndpoint, GetMedia, and controls under /simulator/.')
  .option('--port <number>', 'port on 127.0.0.1; 0 selects a free one', Number, 0)
  .option('--region <name>', 'region that requests must be signed for', 'us-east-1')
  .option('--idle-end-ms <ms>', 'end a GetMedia body after this long without a new fragment', Number, IDLE_END_MS)
  .option('--max-connection-ms <ms>', 'end a GetMedia body at this age', Number, MAX_CONNECTION_MS)
  .option('--no-rate-limit', 'allow more than 5 requests per second per stream')
  .option('--inclusive', 'AfterFragmentNumber begins with that fragment itself, not after it')
  .option('--data-endpoint-scheme <scheme>', 'https behind something that terminates TLS', 'http')
  .parse()
  .opts<{
    port: number;
    region: string;
    idleEndMs: number;
    maxConnectionMs: number;
    rateLimit: boolean;
    inclusive?: boolean;
    dataEndpointScheme: string;
  }>();

const kinesis = new KinesisVideo(options);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => kinesis.calls.stop());
await serve(createServer(serverFor(kinesis).handler as RequestListener), options.port);
