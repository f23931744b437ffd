import type { QueuedEvent } from './event-queue.ts';
import type { Delivery, SinkName } from './sink.ts';

/** What the relay's metrics count (metrics/session-metrics.ts). */
export interface ResultsCounter {
  /** An attempt to deliver a batch has an outcome. */
  attempted(sink: SinkName, outcome: Delivery['name']): void;
  delivered(sink: SinkName, event: QueuedEvent, nowMs: number): void;
  deadLetter(sink: SinkName, events: number): void;
  /** A hint was left out. */
  hintDropped(): void;
  /** Numbered events that made room for others, and are gone. */
  lost(events: number): void;
}
