import { errorFields, type Log } from './log.ts';

/** As Node itself ends a process over an error that nobody caught. */
const EXIT_FAULT = 1;

/**
 * Writes an error that nobody caught into the log, and ends the process (or the worker thread): Node's own way would
 * print the whole error past the log, with whatever hangs on it, such as the headers of a request.
 */
export function logFaults(log: Log): void {
  process.on('uncaughtException', (error, origin) => {
    const stack = error instanceof Error ? error.stack?.match(/^ +at .*$/gm)?.map((frame) => frame.trim()) : undefined;
    log.error({ event: 'daemon.fault', origin, ...errorFields(error), stack }, 'a fault of its own ends the daemon');
    process.exit(EXIT_FAULT);
  });
}
