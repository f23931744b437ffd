import { type DestinationStream, pino } from 'pino';

type Write = (fields: object, message: string) => void;

/** Log lines are events: `log.info({ event: 'kinesis.resumed', attempt }, 'reads on after a connection ended')`. */
export interface Log extends Readonly<Record<'debug' | 'info' | 'warn' | 'error', Write>> {
  child(fields: Record<string, unknown>): Log;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log of JSON lines on standard output. */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const options = { level, base: null, formatters: { level: (label: string) => ({ level: label }) } };
  return destination ? pino(options, destination) : pino(options);
}

/** What may be logged of an error: its kind, its words and those of its causes; nothing that hangs on it besides. */
export function errorFields(error: unknown): { error: string; causes?: string[] } {
  const chain: string[] = [];
  for (let link = error; link instanceof Error && chain.length < 5; link = link.cause) {
    chain.push(`${link.name}: ${link.message}`);
  }
  const [first = String(error), ...causes] = chain;
  return causes.length > 0 ? { error: first, causes } : { error: first };
}
