#!/usr/bin/env node
/** Puts a daemon under the load of many calls and measures it from outside: see README.md. */
import { constants } from 'node:os';
import { CommanderError } from 'commander';
import { LoadFailed } from './failure.ts';
import { LoadRun } from './load-run.ts';
import { type Options, readOptions } from './options.ts';
import { reportText } from './report.ts';
import { openSetup } from './setup.ts';
import { verdictOn } from './verdict.ts';

/** Exit code of a process ended by a signal, as shells report it. */
const SIGNALLED = 128;

const options = optionsOrExit();
const cleanup = new AsyncDisposableStack();
const say = (text: string) => process.stderr.write(`load: ${text}\n`);

let exitCode = 1;
try {
  exitCode = await Promise.race([interruption(), run()]);
} catch (error) {
  say(error instanceof LoadFailed ? error.message : String((error as Error).stack));
}
await cleanup.disposeAsync();
process.exit(exitCode);

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    // Commander has printed the error, or the help.
    if (error instanceof CommanderError) process.exit(error.exitCode);
    throw error;
  }
}

async function run(): Promise<number> {
  const setup = await openSetup(options, cleanup);
  const judged = await Promise.race([new LoadRun(setup, options, say).run(), setup.failed]);
  const report = { ...judged, verdict: verdictOn(judged) };
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
  return report.verdict.passed ? 0 : 1;
}

/** Resolves with the exit code at the first signal. Under npm every signal arrives twice, once more from npm. */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve(SIGNALLED + constants.signals[signal]));
    }
  });
}
