import type { HintContent, NumberedContent, Word } from '../contract/events.ts';
import type { Millis } from '../runtime/clock.ts';

/** For [CUSTOMER, AGENT], in ms of the call. */
export type ChannelTimes = readonly [Millis, Millis];

/** What a session's events have said of its call: enough to continue after a crash without a word lost or repeated. */
export interface RelayState {
  /** How far each channel is final. */
  readonly finalMs: ChannelTimes;
  /** The last final words of each channel, at most 10 and 3 s, by which a repetition is recognized. */
  readonly lastWords: readonly [readonly Word[], readonly Word[]];
  /** Final transcripts so far. */
  readonly finals: number;
}

/** The state before the first event. */
export const NOTHING_SAID: RelayState = { finalMs: [0, 0], lastWords: [[], []], finals: 0 };

/** A session's events on their way to the sinks, in order. The relay writes it, and knows nothing of sinks and disks. */
export interface EventLog {
  /** Grows when the session continues without its disk. */
  readonly epoch: number;
  /** The number of the latest event; 0 before the first. */
  readonly sequence: number;
  /** True after `session.ended`: the process died before it had forgotten the session. */
  readonly hasEnded?: boolean;
  /** True in an epoch that follows on a `session.ended`, because the session was interrupted. */
  readonly wasInterrupted?: boolean;
  /** As of the latest event, or later; undefined before the first. */
  readonly state: RelayState | undefined;
  /** How far every sink has the finals of each channel: delivered, or given up and kept as dead letters. */
  readonly deliveredMs: ChannelTimes;
  /**
   * Numbers an event. It is on disk before a sink gets it.
   * @param state includes the event; it is read again later, and may have advanced by then
   * @param mayResume of `session.ended`: another process may continue the session all the same, in the next epoch
   */
  append(content: NumberedContent, state: RelayState, mayResume?: boolean): void;
  /** Passes on an event that may be left out. */
  hint(content: HintContent): void;
  /** Call this after `session.ended`: resolves when every event is delivered or a dead letter. Never rejects. */
  drained(): Promise<void>;
}
