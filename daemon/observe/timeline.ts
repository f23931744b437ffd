import type { Clock, Millis } from '../clock.ts';
import type { Log } from './log.ts';

/** What happened to a session, as its log has it. */
export type TimelineEntry = { readonly atEpochMs: Millis } & Readonly<Record<string, unknown>>;

/** What an operator reads of one session; older entries go. */
const MAX_ENTRIES = 200;

/** A log that also remembers the newest events of one session for `integratorctl sessions show`. */
export class Timeline implements Log {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #entries: TimelineEntry[] = [];

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  get entries(): readonly TimelineEntry[] {
    return this.#entries;
  }

  // Debug lines are too many, and may hold what was said.
  readonly debug = (...args: [fields: object, message: string]): void => this.#log.debug(...args);
  readonly info = (...args: [fields: object, message: string]): void => this.#note('info', ...args);
  readonly warn = (...args: [fields: object, message: string]): void => this.#note('warn', ...args);
  readonly error = (...args: [fields: object, message: string]): void => this.#note('error', ...args);

  child(fields: Record<string, unknown>): Log {
    return this.#log.child(fields);
  }

  #note(level: 'info' | 'warn' | 'error', fields: object, message: string): void {
    this.#log[level](fields, message);
    this.#entries.push({ atEpochMs: this.#clock.epoch(), ...fields });
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
  }
}
