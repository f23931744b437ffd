/** `npm run soak`: calls to a Deepgram that does everything that real lines do, at random. Prints the verdict in one
 *  line, then what failed, and exits with 1 if anything did. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { type SoakReport, soak } from './soak.ts';
import { type VirtualCallFigures, virtualSoak } from './virtual-soak.ts';

const options = new Command('soak')
  .option('--calls <n>', 'calls at once', Number, 200)
  .option('--seconds <s>', 'how long they last', Number, 600)
  .option('--seed <n>', 'decides what Deepgram does', Number, Math.floor(Math.random() * 2 ** 31))
  .option('--virtual', 'only the links to Deepgram, in virtual time')
  .option('--log <file>', 'where to write what the daemon logged and what Deepgram did with each handshake')
  .parse()
  .opts<{ calls: number; seconds: number; seed: number; virtual?: boolean; log?: string }>();

const cleanup = new AsyncDisposableStack();
let exitCode = 1;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanup.disposeAsync().finally(() => process.exit(130)));
}
try {
  const { failures, saidSeconds, missingMs, connections, refusals, losses, log, record, trouble } = options.virtual
    ? await virtually()
    : await soak(options, cleanup);
  if (options.log)
    await writeFile(options.log, [...log, ...record].map((line) => `${JSON.stringify(line)}\n`).join(''));
  const passed = failures.length === 0;
  exitCode = passed ? 0 : 1;
  process.stdout.write(
    `${passed ? 'passed' : 'FAILED'}: ${options.calls} calls for ${options.seconds} s (seed ${options.seed}): ` +
      `${Math.round(saidSeconds)} s of audio, ${missingMs} ms missing, ${connections} connections, ${refusals} refusals, ` +
      `${failures.length} failures\n`,
  );
  for (const failure of failures) process.stdout.write(`  ${failure}\n`);
  process.stderr.write(`soak: lost ${JSON.stringify(losses)}, logged ${JSON.stringify(trouble)}\n`);
} catch (error) {
  process.stderr.write(`soak: ${(error as Error).stack}\n`);
}
await cleanup.disposeAsync();
process.exit(exitCode);

async function virtually(): Promise<SoakReport> {
  const calls = await virtualSoak(options);
  const sum = (of: (call: VirtualCallFigures) => number) => calls.reduce((total, call) => total + of(call), 0);
  return {
    failures: calls.flatMap(({ failures }) => failures),
    saidSeconds: sum(({ spokenMs }) => spokenMs) / 1000,
    missingMs: sum(({ missingMs }) => missingMs),
    connections: sum(({ connections }) => connections),
    refusals: sum(({ refusals }) => refusals),
    losses: {},
    log: calls.flatMap(({ call, log }) => log.map((line) => ({ call, ...line }))),
    record: [],
    trouble: {},
  };
}
