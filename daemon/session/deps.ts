import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import type { DeepgramSettings } from '../deepgram/socket.ts';
import type { MediaSource } from '../kinesis/media-source.ts';
import type { ReaderSettings } from '../kinesis/reader.ts';
import type { Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import type { OpenEvents } from './results-route.ts';

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
  /** Opens the events of a session whose results come back through us; undefined if nothing delivers events. */
  readonly openEvents?: OpenEvents | undefined;
  readonly settings: SessionSettings;
}

/** The settings of the same names (README.md). */
export interface SessionSettings extends ReaderSettings {
  readonly alignWaitMs: Millis;
  readonly replayMs: Millis;
  readonly deepgramGiveUpMs: Millis;
  /** RESULTS_WEBHOOK: for calls that name neither a callback nor a webhook. */
  readonly resultsWebhook?: string | undefined;
  /** True with RESULTS_STREAM. */
  readonly hasResultsStream?: boolean | undefined;
}
