import { createServer } from 'node:http';
import { Command } from 'commander';
import { listenerOf, serve } from '../serve.ts';
import { answer } from './server.ts';
import { MetadataService } from './service.ts';

const options = new Command('imds')
  .description("Simulates EC2's instance metadata service, version 2, with controls under /simulator/.")
  .option('--port <number>', 'port on 127.0.0.1; 0 selects a free one', Number, 0)
  .option('--instance-id <id>', 'id of the instance', 'i-0123456789abcdef0')
  .option('--region <name>', 'region of the instance', 'us-east-1')
  .parse()
  .opts<{ port: number; instanceId: string; region: string }>();

const service = new MetadataService(options);
const listener = listenerOf((request, response) => answer(service, request, response));
await serve(createServer(listener), options.port);
