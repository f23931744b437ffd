import { levelNamed } from '../daemon/contract/log-levels.ts';
import type { Clock } from '../daemon/runtime/clock.ts';

type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
type Level = 'debug' | 'info' | 'warn' | 'error';

/** Writes events, one JSON line each. Callers list the fields one by one: never an attribute's value, a URL with
 *  credentials or a secret. */
export type Log = Readonly<Record<Level, (event: string, fields?: LogFields) => void>>;

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'] satisfies (Level | 'silent')[];
const DEFAULT_LEVEL = 'info';

/** A log that writes events of level `wanted` (LOG_LEVEL) and above; an unknown level counts as info. */
export function createLog(
  wanted: string | undefined,
  clock: Pick<Clock, 'epoch'>,
  writeLine: (line: string) => void,
): Log {
  const name = levelNamed(wanted?.trim().toLowerCase() || DEFAULT_LEVEL);
  const isKnown = LEVELS.includes(name);
  const threshold = LEVELS.indexOf(isKnown ? name : DEFAULT_LEVEL);
  const writer = (level: Level) => (event: string, fields?: LogFields) => {
    if (LEVELS.indexOf(level) < threshold) return;
    writeLine(JSON.stringify({ level, time: new Date(clock.epoch()).toISOString(), event, ...fields }));
  };
  const log = { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
  if (!isKnown) log.warn('log.unknown-level', { msg: `LOG_LEVEL is not one of ${LEVELS.join(', ')}: using info` });
  return log;
}

/** The same log with these fields in every line. */
export function logOf(log: Log, common: LogFields): Log {
  const writer = (level: Level) => (event: string, fields?: LogFields) => log[level](event, { ...common, ...fields });
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}
