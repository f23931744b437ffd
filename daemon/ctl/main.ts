#!/usr/bin/env node
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import { Failure, Interrupted, OutputClosed } from './failure.ts';
import { runCtl } from './run.ts';
import type { World } from './world.ts';

const stop = new AbortController();
// Once: a second Ctrl-C ends the process whatever it is doing.
process.once('SIGINT', () => stop.abort(new Interrupted()));
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => stop.abort(outputTrouble(error)));
}

const world: World = {
  env: process.env,
  // Only when it is needed: to open it costs a start that hardly any command needs.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  pause: async (ms, signal) => {
    try {
      await pause(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
  stop: stop.signal,
};

process.exitCode = await runCtl(process.argv.slice(2), world);

function outputTrouble(error: NodeJS.ErrnoException): Failure {
  if (error.code === 'EPIPE') return new OutputClosed(error);
  process.exitCode = 1;
  return new Failure(`cannot write its output (${error.message}); free the disk, or write elsewhere`);
}
