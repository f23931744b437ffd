import { createLog, type RootLog } from '../../daemon/log/log.ts';
import type { Line } from './process.ts';

/** A log whose lines a test can read. */
interface RecordedLog {
  readonly log: RootLog;
  readonly lines: Line[];
  /** All lines of an event. */
  of(event: string): Line[];
}

export function recordedLog(): RecordedLog {
  const lines: Line[] = [];
  const log = createLog('debug', { write: (text) => lines.push(JSON.parse(text) as Line) });
  return { log, lines, of: (event) => lines.filter((line) => line['event'] === event) };
}
