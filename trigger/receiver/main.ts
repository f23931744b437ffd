import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import { BodyTooLarge, readBody } from '../../daemon/runtime/bounded-body.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { createLog } from '../log.ts';
import { CachedSecret } from './cached-secret.ts';
import { DirectoryStore } from './directory-store.ts';
import { MAX_BODY_BYTES, Receiver } from './receiver.ts';
import { signingKey } from './signature.ts';

/** The receiver as a server of its own, for a machine instead of Lambda; TLS is up to a proxy before it. */
const options = new Command('receiver')
  .description('Keeps the results that integratord posts, and serves GET /calls/ID.')
  .requiredOption('--directory <path>', 'where requests are kept')
  .requiredOption('--secret-file <path>', 'file with the webhook secret, whsec_…')
  .requiredOption('--token-file <path>', 'file with the bearer token of readers')
  .option('--port <number>', 'port; 0 selects a free one', portOf, 8090)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .parse()
  .opts<{ directory: string; secretFile: string; tokenFile: string; port: number; host: string }>();

/** Secrets are read again while the receiver runs, so a new one needs no restart. */
const contentOf = (path: string) => {
  const content = readFileSync(path, 'utf8').trim();
  if (content === '') throw new Error(`${path} is empty`);
  return content;
};
try {
  signingKey(contentOf(options.secretFile));
  contentOf(options.tokenFile);
} catch (error) {
  exitWith((error as Error).message);
}

const writeLine = (line: string) => process.stdout.write(`${line}\n`);
const receiver = new Receiver({
  key: new CachedSecret(async () => signingKey(contentOf(options.secretFile)), systemClock),
  token: new CachedSecret(async () => contentOf(options.tokenFile), systemClock),
  store: new DirectoryStore(options.directory),
  clock: systemClock,
  log: createLog(process.env['LOG_LEVEL'], systemClock, writeLine),
});

const server = createServer((request, response) => {
  void answer(request, response).catch(() => {
    // The sender disconnected within its request.
    response.destroy();
  });
});
server.listen(options.port, options.host);
await once(server, 'listening').catch((error: Error) =>
  exitWith(`cannot listen on ${options.host}:${options.port}: ${error.message}`),
);
const { address, port } = server.address() as AddressInfo;
writeLine(JSON.stringify({ listening: `http://${address.includes(':') ? `[${address}]` : address}:${port}` }));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
  });
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 0 to 65535.');
}

function exitWith(message: string): never {
  process.stderr.write(`receiver: ${message}\n`);
  process.exit(1);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '', headers } = request;
  const body = await readBody(request, MAX_BODY_BYTES).catch((error: unknown) => {
    if (!(error instanceof BodyTooLarge)) throw error;
  });
  if (!body) {
    response.writeHead(413, { connection: 'close' }).end();
    return;
  }
  // Node joins repeated headers, except for set-cookie.
  const single = headers as Readonly<Record<string, string | undefined>>;
  const result = await receiver.answer({ method, path: url.split('?', 1)[0] ?? '', headers: single, body });
  response.writeHead(result.status, result.headers).end(result.body);
}
