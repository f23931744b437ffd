import { createServer } from 'node:http';
import { Command } from 'commander';
import { listenerOf, serve } from '../serve.ts';
import { CloudWatchApi } from './api.ts';
import { answer } from './server.ts';

const options = new Command('cloudwatch')
  .description('Simulates Amazon CloudWatch: PutMetricData, and controls under /simulator/.')
  .option('--port <number>', 'port on 127.0.0.1; 0 selects a free one', Number, 0)
  .option('--region <name>', 'region that requests must be signed for', 'us-east-1')
  .parse()
  .opts<{ port: number; region: string }>();

const api = new CloudWatchApi(options.region);
const listener = listenerOf((request, response) => answer(api, request, response));
await serve(createServer(listener), options.port);
