import { type DestinationStream, type LevelWithSilent, type Logger, pino } from 'pino';
import type { LogLevel } from '../contract/log-levels.ts';
import { Redactor } from './redactor.ts';

type Write = (fields: object, message: string) => void;

/** Log lines are events, all of them in LOGS.md: `log.info({ event: 'kinesis.resumed', attempt }, 'reads on')`. */
export interface Log extends Readonly<Record<'debug' | 'info' | 'warn' | 'error', Write>> {
  child(fields: Record<string, unknown>): Log;
}

/** The root of a process's logs (or a worker thread's), whose level may change while it runs. */
export interface RootLog extends Log {
  /** Of this log and all its children, those that exist already included. */
  readonly level: LogLevel;
  /** What keeps secrets out of the log; it has to be told those that have no shape of their own. */
  readonly redactor: Redactor;
  /** Takes over the level that another thread's log was given. */
  setLevel(level: LogLevel): void;
  /** An operator's order: written down as `log.level`, which no level hides, and told to whoever listens. */
  orderLevel(level: LogLevel): void;
  /** Told every ordered level: the logs of worker threads are to follow. */
  onLevel(listener: (level: LogLevel) => void): void;
}

/**
 * By its number and synchronously: what a worker thread has given to its process.stdout, or to the thread pool, is lost
 * when it falls, and its last words are the ones that matter.
 */
const STDOUT = { dest: 1, sync: true };

/** A log of JSON lines on standard output; nothing gets into it that its redactor knows. */
export function createLog(level: LogLevel, destination?: DestinationStream): RootLog {
  const redactor = new Redactor();
  const options = {
    level: 'trace',
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    // The last thing before the line is written: there is no way past it.
    hooks: { streamWrite: (line: string) => redactor.clean(line) },
  };
  const gate = { level };
  const rootLog = pino(options, destination ?? pino.destination(STDOUT));
  const listeners: ((level: LogLevel) => void)[] = [];
  return {
    ...gated(rootLog, gate),
    redactor,
    get level() {
      return gate.level;
    },
    setLevel(next) {
      gate.level = next;
    },
    orderLevel(next) {
      rootLog.info(
        { event: 'log.level', from: gate.level, to: next },
        'the log level is another, until the next start',
      );
      gate.level = next;
      for (const listener of listeners) listener(next);
    },
    onLevel: (listener) => listeners.push(listener),
  };
}

/** Pino's own children keep the level that they were made with; these ask for the level of today. */
function gated(logger: Logger, gate: { readonly level: LogLevel }): Log {
  const writer =
    (level: 'debug' | 'info' | 'warn' | 'error'): Write =>
    (fields, message) => {
      if (weightOf(level) >= weightOf(gate.level)) logger[level](fields, message);
    };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    child: (fields) => gated(logger.child(fields), gate),
  };
}

function weightOf(level: LevelWithSilent): number {
  return pino.levels.values[level] ?? Infinity;
}

/** An error that knows which request of Kinesis or Deepgram it is about. */
interface OfRequest {
  readonly requestId: string | undefined;
}

/** The longest that is logged of one error: some repeat a whole body. */
const MAX_WORDS = 1000;

/** What may be logged of an error: its kind, its words, those of its causes and its request's id; nothing besides. */
export function errorFields(error: unknown): { error: string; causes?: string[]; requestId?: string } {
  const chain: string[] = [];
  let requestId: string | undefined;
  for (let link = error; link instanceof Error && chain.length < 5; link = link.cause) {
    chain.push(`${link.name}: ${link.message}`.slice(0, MAX_WORDS));
    requestId ??= (link as Partial<OfRequest>).requestId;
  }
  const [first = String(error).slice(0, MAX_WORDS), ...causes] = chain;
  return {
    error: first,
    ...(causes.length > 0 ? { causes } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  };
}
