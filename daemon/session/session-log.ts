import type { TimelineEntry } from '../contract/control-api.ts';
import { AttributeMask } from '../log/attribute-mask.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../runtime/clock.ts';

/** How the session began, and what happened last; entries between are dropped. */
const FIRST_ENTRIES = 20;
const LAST_ENTRIES = 180;
/** An entry of the timeline only, not an event of the log: `entries` says how many are left out here. */
const OMITTED = 'omitted';

/**
 * The log of one session: keeps its first and its latest events for `integratorctl sessions show`, and masks the contact's attributes
 * wherever Deepgram or Kinesis quotes them.
 */
export class Timeline implements Log {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #mask: AttributeMask;
  readonly #first: TimelineEntry[] = [];
  readonly #last: TimelineEntry[] = [];
  #omitted = 0;

  /** @param params their values are contact attributes and must not be logged */
  constructor(log: Log, clock: Clock, params: Readonly<Record<string, string | readonly string[]>>) {
    this.#log = log;
    this.#clock = clock;
    this.#mask = new AttributeMask(Object.values(params).flat());
  }

  get isDebug(): boolean {
    return this.#log.isDebug;
  }

  get entries(): readonly TimelineEntry[] {
    const [next] = this.#last;
    if (this.#omitted === 0 || !next) return [...this.#first, ...this.#last];
    const gap = { atEpochMs: next.atEpochMs, event: OMITTED, entries: this.#omitted };
    return [...this.#first, gap, ...this.#last];
  }

  // Debug lines are too many to keep, and may contain what was said.
  debug(fields: object, message: string): void {
    if (this.isDebug) this.#log.debug(this.#mask.masked(fields), message);
  }

  info(fields: object, message: string): void {
    this.#note('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#note('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#note('error', fields, message);
  }

  child(fields: Record<string, unknown>): Log {
    return this.#log.child(fields);
  }

  #note(level: 'info' | 'warn' | 'error', fields: object, message: string): void {
    const masked = this.#mask.masked(fields);
    this.#log[level](masked, message);
    const entries = this.#first.length < FIRST_ENTRIES ? this.#first : this.#last;
    entries.push({ atEpochMs: this.#clock.epoch(), ...masked });
    if (this.#last.length <= LAST_ENTRIES) return;
    this.#last.shift();
    this.#omitted++;
  }
}
