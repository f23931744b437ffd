import type { TimelineEntry } from '../contract/control-api.ts';
import { AttributeMask } from '../log/attribute-mask.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../runtime/clock.ts';

/** What an operator reads of one session; older entries go. */
const MAX_ENTRIES = 200;

/** The log of one session: it also remembers the newest events for `integratorctl sessions show`, and masks what the
 *  session was asked for where Deepgram or another quotes it. */
export class Timeline implements Log {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #foreign: AttributeMask;
  readonly #entries: TimelineEntry[] = [];

  /** @param params whose values the log must not repeat: they are the contact's attributes */
  constructor(log: Log, clock: Clock, params: Readonly<Record<string, string | readonly string[]>>) {
    this.#log = log;
    this.#clock = clock;
    this.#foreign = new AttributeMask(Object.values(params).flat());
  }

  get entries(): readonly TimelineEntry[] {
    return this.#entries;
  }

  // Debug lines are too many, and may hold what was said.
  readonly debug = (fields: object, message: string): void => this.#log.debug(this.#foreign.masked(fields), message);
  readonly info = (...args: [fields: object, message: string]): void => this.#note('info', ...args);
  readonly warn = (...args: [fields: object, message: string]): void => this.#note('warn', ...args);
  readonly error = (...args: [fields: object, message: string]): void => this.#note('error', ...args);

  child(fields: Record<string, unknown>): Log {
    return this.#log.child(fields);
  }

  #note(level: 'info' | 'warn' | 'error', fields: object, message: string): void {
    const masked = this.#foreign.masked(fields);
    this.#log[level](masked, message);
    this.#entries.push({ atEpochMs: this.#clock.epoch(), ...masked });
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
  }
}
