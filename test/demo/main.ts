#!/usr/bin/env node
/** Plays the sample call through the whole integration and shows its transcript in the terminal and on a page. */
import { constants } from 'node:os';
import { Children } from './children.ts';
import { Demo } from './demo.ts';
import { DemoFailed } from './failure.ts';
import { chooseDeepgram, readOptions } from './settings.ts';
import { Terminal } from './terminal.ts';

/** Exit code of a process ended by a signal, as shells report it. */
const SIGNALLED = 128;
/** What the terminal says at each signal that ends the demo. */
const STOPPED = {
  SIGINT: 'Stopped with Ctrl-C.',
  SIGTERM: 'Stopped by a signal (SIGTERM).',
  SIGHUP: 'Stopped because the terminal was closed.',
} as const;

const options = readOptions(process.argv);
const terminal = new Terminal(process.stdout, process.env, options.speed === 1);
const children = new Children();
const cleanup = new AsyncDisposableStack();
const demo = new Demo({ options, deepgram: chooseDeepgram(process.env), terminal, children, cleanup });
process.once('exit', () => children.kill());

let exitCode = 1;
try {
  exitCode = await Promise.race([interruption(), outputGone(), demo.failed, demo.run()]);
} catch (error) {
  terminal.settle();
  process.stderr.write(`demo: ${error instanceof DemoFailed ? error.message : (error as Error).stack}\n`);
}
await cleanup.disposeAsync();
process.exit(exitCode);

/** Rejects when the reader of standard output is gone, as in `demo | head`. */
function outputGone(): Promise<never> {
  return new Promise((_, reject) => {
    process.stdout.on('error', ({ message }) => reject(new DemoFailed(`Standard output was closed: ${message}`)));
  });
}

/** Resolves with the exit code at the first signal. A second signal kills the processes. */
function interruption(): Promise<number> {
  let isEnding = false;
  return new Promise((resolve) => {
    for (const signal of Object.keys(STOPPED) as (keyof typeof STOPPED)[]) {
      process.on(signal, () => {
        if (isEnding) children.kill();
        else terminal.say(STOPPED[signal]);
        isEnding = true;
        resolve(options.once ? SIGNALLED + constants.signals[signal] : 0);
      });
    }
  });
}
