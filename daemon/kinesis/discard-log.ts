import type { Log } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { DiscardReason } from './filter/contact-filter.ts';

/** Per reason: corrupt bytes can cause thousands of these a second. */
const EVERY_MS: Millis = 10_000;

/** Logs why audio was not forwarded, at most one line per reason and interval, with the number of lines left out. */
export class DiscardLog {
  readonly #log: Log;
  readonly #clock: Clock;
  /** Undefined while nothing was discarded, as of most calls. */
  #last: Map<DiscardReason, { atMs: Millis; suppressed: number }> | undefined;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  discarded(why: DiscardReason, detail: string): void {
    this.#last ??= new Map();
    const last = this.#last.get(why);
    const nowMs = this.#clock.now();
    if (last && nowMs - last.atMs < EVERY_MS) {
      last.suppressed++;
      return;
    }
    const fields = { event: 'kinesis.discarded', why, detail, suppressed: last?.suppressed ?? 0 };
    this.#last.set(why, { atMs: nowMs, suppressed: 0 });
    // Two callers in one fragment is what must not happen.
    if (why === 'two-contacts') this.#log.error(fields, 'a fragment names two contacts: its audio is withheld');
    else this.#log.warn(fields, 'audio of the stream was not forwarded');
  }
}
