import { createServer } from 'node:http';
import { Command } from 'commander';
import { serve } from '../serve.ts';
import { answer } from './server.ts';
import { MetadataService } from './service.ts';

const options = new Command('imds')
  .description("Stands in for EC2's instance metadata service, version 2, with controls under /standin/.")
  .option('--port <number>', 'port on 127.0.0.1; 0 takes a free one', Number, 0)
  .option('--instance-id <id>', 'the instance that it tells about', 'i-0123456789abcdef0')
  .option('--region <name>', 'the region that the instance is in', 'us-east-1')
  .option('--token-ttl-s <s>', 'no token lives longer than this', Number, 21_600)
  .parse()
  .opts<{ port: number; instanceId: string; region: string; tokenTtlS: number }>();

const service = new MetadataService(options);
const server = createServer((request, response) => void answer(service, request, response));
await serve(server, options.port);
