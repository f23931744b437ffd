import { createServer } from 'node:http';
import { Command } from 'commander';
import { listenerOf, serve } from '../serve.ts';
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
const listener = listenerOf((request, response) => answer(api, group, request, response));
await serve(createServer(listener), options.port);
