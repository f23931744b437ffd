import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { Command } from 'commander';
import { listenerOf, serve } from '../serve.ts';
import { Consumer, consumerRules } from './consumer.ts';
import { answer } from './server.ts';

const { secret, port, cert, key, keepText, keepNothing, delay } = new Command('webhook')
  .description('Simulates a consumer of webhooks, which verifies signatures, and controls under /simulator/.')
  .requiredOption('--secret <whsec...>', 'secrets, any of which verifies')
  .option('--port <number>', 'port on 127.0.0.1; 0 selects a free one', Number, 0)
  .option('--cert <file>', 'serves HTTPS with this certificate')
  .option('--key <file>', 'and its key')
  .option('--no-keep-text', 'does not keep bodies')
  .option('--keep-nothing', 'neither verifies nor keeps requests: for measurements', false)
  .option('--delay <ms>', 'answers after this time', Number, 0)
  .parse()
  .opts<{
    secret: string[];
    port: number;
    cert?: string;
    key?: string;
    keepText: boolean;
    keepNothing: boolean;
    delay: number;
  }>();

const consumer = new Consumer(secret, { keepsText: keepText, keepsNothing: keepNothing });
consumer.setRules(consumerRules.parse(delay > 0 ? [{ delayMs: delay }] : []));
const listener = listenerOf((request, response) => answer(consumer, request, response));
const server =
  cert && key
    ? createSecureServer({ cert: readFileSync(cert), key: readFileSync(key) }, listener)
    : createServer(listener);
await serve(server, port);
