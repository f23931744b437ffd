import { errorFields, type Log } from './log.ts';

/** Node's own exit code for an uncaught error. */
const EXIT_UNCAUGHT = 1;

/**
 * Logs an uncaught error and ends the process (or worker thread). Node itself would print the whole error, unmasked, with
 * attached objects such as request headers.
 */
export function logFaults(log: Log): void {
  process.on('uncaughtException', (error, origin) => {
    const stack = error instanceof Error ? error.stack?.match(/^ +at .*$/gm)?.map((frame) => frame.trim()) : undefined;
    log.error({ event: 'daemon.fault', origin, ...errorFields(error), stack }, 'fatal internal error');
    process.exit(EXIT_UNCAUGHT);
  });
}
