import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import type { DeepgramSettings } from '../deepgram/socket.ts';
import type { MediaSource } from '../kinesis/media-source.ts';
import type { ReaderSettings } from '../kinesis/reader.ts';
import type { Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { EventLog } from '../results/event-log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';

/** What a session needs from the rest of the daemon. */
export interface SessionDeps {
  readonly kinesis: MediaSource;
  readonly deepgram: DeepgramSettings;
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  readonly random: () => number;
  /** Undefined without STATE_DIR. */
  readonly checkpoints: Checkpoints | undefined;
  /** Undefined if nothing delivers events. */
  readonly results?: EventsOpener | undefined;
  readonly settings: SessionSettings;
}

export interface EventsOpener {
  /**
   * Opens a session's events, with what an earlier process or thread left of them; undefined when they go nowhere. Never
   * rejects.
   */
  openEvents(session: SessionIdentity, options: { readonly isResumed: boolean }): Promise<EventLog | undefined>;
}

/** The settings of the same names (daemon/SETTINGS.md). */
export interface SessionSettings extends ReaderSettings {
  readonly alignWaitMs: Millis;
  readonly replayMs: Millis;
  readonly deepgramGiveUpMs: Millis;
}
