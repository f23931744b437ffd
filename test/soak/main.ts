/** `npm run soak`: calls to a Deepgram that does everything that real lines do, at random. Prints the verdict in one
 *  line, then what failed, and exits with 1 if anything did. */
import { Command } from 'commander';
import { soak } from './soak.ts';

const options = new Command('soak')
  .option('--calls <n>', 'calls at once', Number, 200)
  .option('--seconds <s>', 'how long they last', Number, 600)
  .option('--seed <n>', 'decides what Deepgram does', Number, Math.floor(Math.random() * 2 ** 31))
  .parse()
  .opts<{ calls: number; seconds: number; seed: number }>();

const cleanup = new AsyncDisposableStack();
let exitCode = 1;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanup.disposeAsync().finally(() => process.exit(130)));
}
try {
  const { failures, saidSeconds, missingMs, connections, refusals, losses, log, trouble } = await soak(
    options,
    cleanup,
  );
  const passed = failures.length === 0;
  exitCode = passed ? 0 : 1;
  process.stdout.write(
    `${passed ? 'passed' : 'FAILED'}: ${options.calls} calls for ${options.seconds} s (seed ${options.seed}): ` +
      `${Math.round(saidSeconds)} s of audio, ${missingMs} ms missing, ${connections} connections, ${refusals} refusals, ` +
      `${failures.length} failures\n`,
  );
  for (const failure of failures) process.stdout.write(`  ${failure}\n`);
  for (const line of log) process.stderr.write(`${JSON.stringify(line)}\n`);
  process.stderr.write(`soak: lost ${JSON.stringify(losses)}, logged ${JSON.stringify(trouble)}\n`);
} catch (error) {
  process.stderr.write(`soak: ${(error as Error).stack}\n`);
}
await cleanup.disposeAsync();
process.exit(exitCode);
