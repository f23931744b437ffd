#!/usr/bin/env node
import { systemClock } from '../runtime/clock.ts';
import { EXIT } from './exit-codes.ts';
import { Interrupted, OutputClosed } from './failure.ts';
import type { Io } from './io.ts';
import { runCtl } from './run.ts';

const stop = new AbortController();
// Once: a second Ctrl-C ends the process whatever it is doing.
process.once('SIGINT', () => stop.abort(new Interrupted()));
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => outputFailed(error));
}

const io: Io = {
  env: process.env,
  // Only when it is needed: to open it costs a start that hardly any command needs.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  stop: stop.signal,
};

const exit = await runCtl(process.argv.slice(2), io);
process.exitCode ??= exit;

/** Nobody reads it any more: an end like any other. A full disk: not, and the data that were asked for are not there. */
function outputFailed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') {
    process.exitCode = EXIT.failure;
    process.stderr.write(
      `integratorctl: cannot write its output (${error.message}); free the disk, or write elsewhere\n`,
    );
  }
  stop.abort(new OutputClosed(error));
}
