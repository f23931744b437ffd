import { type DestinationStream, type LevelWithSilent, type Logger, pino } from 'pino';
import type { LogLevel } from '../contract/log-levels.ts';
import { Redactor } from './redactor.ts';
import { shortFields } from './short-fields.ts';
import { standardOutput } from './standard-output.ts';

/** Log lines are events, listed in LOGS.md: `log.info({ event: 'kinesis.resumed', attempt }, 'resumed')`. */
export interface Log {
  /** False while debug lines are not written: then what goes into them need not be prepared. */
  readonly isDebug: boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: Record<string, unknown>): Log;
}

/** The root log of a process or worker thread. Its level may change at any time. */
export interface RootLog extends Log {
  /** Applies to all children, including existing ones. */
  readonly level: LogLevel;
  /** Masks secrets; it must learn those that it cannot recognize by their shape. */
  readonly redactor: Redactor;
  /** Follows the level of another thread. */
  setLevel(level: LogLevel): void;
  /** Changes the level on an operator's order: logged at every level, and passed on to listeners. */
  orderLevel(level: LogLevel): void;
  /** Called with every ordered level, so that worker threads can follow. */
  onLevel(listener: (level: LogLevel) => void): void;
}

const LOST = 'lines could not be written, and are lost: is the disk full?';

/** A log of JSON lines on standard output, masked by its redactor. */
export function createLog(level: LogLevel, destination?: DestinationStream): RootLog {
  const redactor = new Redactor();
  const options = {
    level: 'trace',
    base: null,
    // As the trigger's, so that lines of both can be sorted together.
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: shortFields },
    // The last step before a line is written, so nothing bypasses it.
    hooks: { streamWrite: (line: string) => redactor.clean(line) },
  };
  const output = destination ?? standardOutput((lines) => log.warn({ event: 'log.lost', lines }, LOST));
  const log = new GatedRootLog(pino(options, output), redactor, { level });
  return log;
}

/** Up to which level lines are written. */
interface Gate {
  level: LogLevel;
}

/** Pino's own children keep the level they were created with; these check the current level. */
class GatedLog implements Log {
  readonly #pinoLog: Logger;
  readonly #gate: Readonly<Gate>;

  constructor(pinoLog: Logger, gate: Readonly<Gate>) {
    this.#pinoLog = pinoLog;
    this.#gate = gate;
  }

  get isDebug(): boolean {
    return this.#isWritten('debug');
  }

  debug(fields: object, message: string): void {
    if (this.#isWritten('debug')) this.#pinoLog.debug(fields, message);
  }

  info(fields: object, message: string): void {
    if (this.#isWritten('info')) this.#pinoLog.info(fields, message);
  }

  warn(fields: object, message: string): void {
    if (this.#isWritten('warn')) this.#pinoLog.warn(fields, message);
  }

  error(fields: object, message: string): void {
    if (this.#isWritten('error')) this.#pinoLog.error(fields, message);
  }

  child(fields: Record<string, unknown>): Log {
    return new GatedLog(this.#pinoLog.child(fields), this.#gate);
  }

  #isWritten(level: LogLevel): boolean {
    return weightOf(level) >= weightOf(this.#gate.level);
  }
}

class GatedRootLog extends GatedLog implements RootLog {
  readonly redactor: Redactor;
  readonly #pinoLog: Logger;
  readonly #gate: Gate;
  readonly #listeners: ((level: LogLevel) => void)[] = [];

  constructor(pinoLog: Logger, redactor: Redactor, gate: Gate) {
    super(pinoLog, gate);
    this.redactor = redactor;
    this.#pinoLog = pinoLog;
    this.#gate = gate;
  }

  get level(): LogLevel {
    return this.#gate.level;
  }

  setLevel(level: LogLevel): void {
    this.#gate.level = level;
  }

  orderLevel(level: LogLevel): void {
    this.#pinoLog.info({ event: 'log.level', from: this.level, to: level }, 'log level changed');
    this.setLevel(level);
    for (const listener of this.#listeners) listener(level);
  }

  onLevel(listener: (level: LogLevel) => void): void {
    this.#listeners.push(listener);
  }
}

function weightOf(level: LevelWithSilent): number {
  return pino.levels.values[level] ?? Infinity;
}

/** An error about a request to AWS or Deepgram. */
interface RequestError {
  readonly requestId: string | undefined;
}

/** Some error messages repeat a whole body. */
const MAX_CHARACTERS = 1000;

/** What may be logged about an error: name and message, those of its causes, and the request id; nothing else. */
export function errorFields(error: unknown): { error: string; causes?: string[]; requestId?: string } {
  const chain: string[] = [];
  let requestId: string | undefined;
  for (let link = error; link instanceof Error && chain.length < 5; link = link.cause) {
    chain.push(`${link.name}: ${link.message}`.slice(0, MAX_CHARACTERS));
    requestId ??= (link as Partial<RequestError>).requestId;
  }
  const [first = String(error).slice(0, MAX_CHARACTERS), ...causes] = chain;
  return {
    error: first,
    ...(causes.length > 0 ? { causes } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  };
}
