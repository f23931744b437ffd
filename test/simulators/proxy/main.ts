import { createServer } from 'node:http';
import { Command } from 'commander';
import { serve } from '../serve.ts';
import { ConnectProxy } from './proxy.ts';

const options = new Command('proxy')
  .description('Simulates an HTTP proxy for CONNECT (RFC 9110, 9.3.6), with controls under /simulator/.')
  .option('--port <number>', 'port on 127.0.0.1; 0 selects a free one', Number, 0)
  .option('--credentials <user:password>', 'demand these credentials with 407')
  .parse()
  .opts<{ port: number; credentials?: string }>();

const server = createServer();
new ConnectProxy(server, options.credentials);
await serve(server, options.port);
