import { createServer } from 'node:http';
import { Command } from 'commander';
import { listenerOf, serve } from '../serve.ts';
import { SecretsManagerApi } from './api.ts';
import { answer } from './server.ts';
import { Vault } from './vault.ts';

const options = new Command('secrets-manager')
  .description('Simulates AWS Secrets Manager: GetSecretValue in one region, and controls under /simulator/.')
  .option('--port <number>', 'port on 127.0.0.1; 0 selects a free one', Number, 0)
  .option('--region <name>', 'region of the secrets, which requests must be signed for', 'us-east-1')
  .parse()
  .opts<{ port: number; region: string }>();

const vault = new Vault(options.region);
const api = new SecretsManagerApi(vault, options.region);
const listener = listenerOf((request, response) => answer(api, vault, request, response));
await serve(createServer(listener), options.port);
