#!/usr/bin/env node
import '../runtime/require-node.ts';

import { systemClock } from '../runtime/clock.ts';
import { EXIT } from './exit-codes.ts';
import { Interrupted, OutputClosed } from './failure.ts';
import type { Io } from './io.ts';
import { runCtl } from './run.ts';

const stop = new AbortController();
// Once: a second Ctrl-C kills the process.
process.once('SIGINT', () => stop.abort(new Interrupted()));
let isReported = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => outputFailed(error, reportOnce));
// Not reported: the report would go to stderr as well, and fail again.
process.stderr.on('error', (error: NodeJS.ErrnoException) => outputFailed(error));

const io: Io = {
  env: process.env,
  // Lazy: opening stdin slows down every start, and few commands read it.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  etc: '/etc/integratord',
  stop: stop.signal,
};

const exit = await runCtl(process.argv.slice(2), io);
process.exitCode ??= exit;

/** EPIPE is a normal end: the reader has seen enough. Anything else, such as a full disk, lost data. */
function outputFailed(error: NodeJS.ErrnoException, report?: (error: Error) => void): void {
  if (error.code !== 'EPIPE') {
    process.exitCode = EXIT.failure;
    report?.(error);
  }
  stop.abort(new OutputClosed(error));
}

/** Every further write to stdout fails too. */
function reportOnce({ message }: Error): void {
  if (isReported) return;
  isReported = true;
  process.stderr.write(`integratorctl: cannot write the output (${message}); free the disk, or write elsewhere\n`);
}
