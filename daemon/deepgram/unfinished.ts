import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import { momentOf } from './replay-buffer.ts';

/**
 * Counts audio that was sent, that Deepgram had not processed when a line was lost, and that no other connection
 * repeats. Each part of the call counts once. Positions are bytes of the call.
 */
export class Unfinished {
  readonly #metrics: Pick<SessionMetrics, 'gap'>;
  #countedTo = 0;
  #totalMs: Millis = 0;

  constructor(metrics: Pick<SessionMetrics, 'gap'>) {
    this.#metrics = metrics;
  }

  get totalMs(): Millis {
    return this.#totalMs;
  }

  /** Counts the call from one position to another as a gap; returns how much of it is new. */
  count(from: number, to: number): Millis {
    const ms = Math.max(0, Math.round(momentOf(to - Math.max(from, this.#countedTo))));
    this.#countedTo = Math.max(this.#countedTo, to);
    this.#totalMs += ms;
    this.#metrics.gap('unfinished', ms);
    return ms;
  }
}
