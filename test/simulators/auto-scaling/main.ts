import { createServer } from 'node:http';
import { Command } from 'commander';
import { serve } from '../serve.ts';
import { AutoScalingApi } from './api.ts';
import { Group } from './group.ts';
import { answer } from './server.ts';

const options = new Command('auto-scaling')
  .description('Simulates Amazon EC2 Auto Scaling: one group, its lifecycle hooks, and controls under /simulator/.')
  .option('--port <number>', 'port on 127.0.0.1; 0 selects a free one', Number, 0)
  .option('--region <name>', 'region that requests must be signed for', 'us-east-1')
  .option('--group-name <name>', 'group of the instance', 'integrators')
  .parse()
  .opts<{ port: number; region: string; groupName: string }>();

const group = new Group(options.groupName);
const api = new AutoScalingApi(group, options.region);
const server = createServer((request, response) => {
  void answer(api, group, request, response).catch((error: unknown) => {
    // The client disconnected during its request; any other error is ours.
    if (request.complete) throw error;
  });
});
await serve(server, options.port);
