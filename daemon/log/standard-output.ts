import type { EventEmitter } from 'node:events';
import { type DestinationStream, pino } from 'pino';

/** How many characters of lines wait while standard output cannot be written, as on a full disk. */
const MOST_WAITING = 1_000_000;

/**
 * Standard output by file descriptor and synchronous: a worker thread that dies loses what it wrote to its
 * process.stdout or handed to the thread pool, and its last lines matter most. Lines that cannot be written wait for the
 * next one; those that are too many are lost, and the process continues.
 * @param onLost called with their number when lines can be written again
 */
export function standardOutput(onLost: (lines: number) => void): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: true, maxLength: MOST_WAITING });
  countLost(stream, onLost);
  return stream;
}

/** Counts what a stream of pino's drops. */
export function countLost(stream: Pick<EventEmitter, 'on'>, onLost: (lines: number) => void): void {
  let lost = 0;
  // Without a listener Node ends the process, and the place to report it to is the one that fails.
  stream.on('error', () => {});
  stream.on('drop', () => lost++);
  stream.on('write', () => {
    if (lost === 0) return;
    const lines = lost;
    lost = 0;
    onLost(lines);
    // There is no room for that line either.
    if (lost > 0) lost = lines;
  });
}
