import type { TimelineEntry } from '../contract/control-api.ts';
import { AttributeMask } from '../log/attribute-mask.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../runtime/clock.ts';

/** Older entries are dropped. */
const MAX_ENTRIES = 200;

/**
 * The log of one session: keeps the latest events for `integratorctl sessions show`, and masks the contact's attributes
 * wherever Deepgram or Kinesis quotes them.
 */
export class Timeline implements Log {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #mask: AttributeMask;
  readonly #entries: TimelineEntry[] = [];

  /** @param params their values are contact attributes and must not be logged */
  constructor(log: Log, clock: Clock, params: Readonly<Record<string, string | readonly string[]>>) {
    this.#log = log;
    this.#clock = clock;
    this.#mask = new AttributeMask(Object.values(params).flat());
  }

  get entries(): readonly TimelineEntry[] {
    return this.#entries;
  }

  // Debug lines are too many to keep, and may contain what was said.
  readonly debug = (fields: object, message: string): void => this.#log.debug(this.#mask.masked(fields), message);
  readonly info = (...args: [fields: object, message: string]): void => this.#note('info', ...args);
  readonly warn = (...args: [fields: object, message: string]): void => this.#note('warn', ...args);
  readonly error = (...args: [fields: object, message: string]): void => this.#note('error', ...args);

  child(fields: Record<string, unknown>): Log {
    return this.#log.child(fields);
  }

  #note(level: 'info' | 'warn' | 'error', fields: object, message: string): void {
    const masked = this.#mask.masked(fields);
    this.#log[level](masked, message);
    this.#entries.push({ atEpochMs: this.#clock.epoch(), ...masked });
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
  }
}
