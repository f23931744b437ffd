import type { LevelOfLog } from '../contract/control-api.ts';
import type { LogLevel } from '../contract/log-levels.ts';
import type { RootLog } from '../log/log.ts';
import type { Cancel, Clock, Millis } from '../runtime/clock.ts';

/** The log level as operators order it: until the next start, or for a time. */
export class LogLevelOrder {
  readonly #log: Pick<RootLog, 'level' | 'orderLevel'>;
  readonly #configured: LogLevel;
  readonly #clock: Clock;
  #untilEpochMs: Millis | undefined;
  #cancel: Cancel = () => {};

  constructor(log: Pick<RootLog, 'level' | 'orderLevel'>, configured: LogLevel, clock: Clock) {
    this.#log = log;
    this.#configured = configured;
    this.#clock = clock;
  }

  view(): LevelOfLog {
    const { level } = this.#log;
    const until = this.#untilEpochMs === undefined ? {} : { untilEpochMs: this.#untilEpochMs };
    return { level, configured: this.#configured, ...until };
  }

  /** Changes the level; with `forMs`, LOG_LEVEL applies again afterwards. */
  order(level: LogLevel, forMs?: Millis): void {
    this.#cancel();
    this.#untilEpochMs = forMs === undefined ? undefined : this.#clock.epoch() + forMs;
    this.#log.orderLevel(level);
    if (forMs !== undefined) this.#cancel = this.#clock.after(forMs, () => this.order(this.#configured));
  }
}
