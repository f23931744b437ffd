import { createServer } from 'node:http';
import { Command } from 'commander';
import { listenerOf, serve } from '../serve.ts';
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
const listener = listenerOf((request, response) => answer({ api, streams, faults }, request, response));
await serve(createServer(listener), options.port);
