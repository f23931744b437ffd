import { createServer } from 'node:http';
import { Command } from 'commander';
import { serve } from '../serve.ts';
import { KinesisApi } from './api.ts';
import { Faults } from './faults.ts';
import { DataStreams } from './operations.ts';
import { answer } from './server.ts';

const options = new Command('kinesis-data-streams')
  .description('Simulates Kinesis Data Streams: PutRecords and reading back, and controls under /simulator/.')
  .option('--port <number>', 'port on 127.0.0.1; 0 selects a free one', Number, 0)
  .option('--region <name>', 'region of the streams, which requests must be signed for', 'us-east-1')
  .parse()
  .opts<{ port: number; region: string }>();

const faults = new Faults();
const streams = new DataStreams(options.region, faults);
const api = new KinesisApi(streams, faults, options.region);
const server = createServer((request, response) => {
  void answer({ api, streams, faults }, request, response).catch((error: unknown) => {
    // The client disconnected during its request; any other error is ours.
    if (request.complete) throw error;
  });
});
await serve(server, options.port);
