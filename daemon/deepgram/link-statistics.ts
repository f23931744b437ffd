import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import { refusalOf } from './errors.ts';
import { LagMeter } from './lag-meter.ts';
import { momentOf } from './replay-buffer.ts';

/** What a link has done so far. */
export interface LinkStats {
  /** Deepgram's ids of the connections, in order. */
  readonly requestIds: readonly string[];
  /** Call time sent to Deepgram, and how much of it was repeated. */
  readonly audioMs: Millis;
  readonly replayedMs: Millis;
  /** How late audio is handed to the kernel (lag-meter.ts): now and at the worst. */
  readonly lagMs: Millis;
  readonly worstLagMs: Millis;
  /** The most audio kept here at any time. */
  readonly worstBufferBytes: number;
}

/** Counts what a link does, for its session and for the thread's metrics. Positions are bytes of the call. */
export class LinkStatistics {
  readonly lag: LagMeter;
  readonly #metrics: SessionMetrics;
  readonly #requestIds: string[] = [];
  #sentTo: number;
  #replayedBytes = 0;
  #worstBufferBytes = 0;

  /** @param start where in the call the audio begins */
  constructor(start: number, metrics: SessionMetrics, startedAtMs: Millis | undefined) {
    this.#sentTo = start;
    this.#metrics = metrics;
    this.lag = new LagMeter(momentOf(start), metrics.lagMs, startedAtMs);
  }

  get connections(): number {
    return this.#requestIds.length;
  }

  /** How far the call was sent, on any connection. */
  get sentTo(): number {
    return this.#sentTo;
  }

  /** @param end where the audio that is here ends */
  snapshot(end: number, nowMs: Millis): LinkStats {
    const lagMs = this.lag.nowMs(momentOf(end), nowMs);
    return {
      requestIds: this.#requestIds,
      audioMs: momentOf(this.#sentTo),
      replayedMs: momentOf(this.#replayedBytes),
      lagMs,
      worstLagMs: Math.max(lagMs, this.lag.worstMs),
      worstBufferBytes: this.#worstBufferBytes,
    };
  }

  opened(requestId: string | undefined): void {
    this.#requestIds.push(requestId ?? '');
  }

  handshakeFailed(error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal) this.#metrics.handshakeFailed(refusal);
  }

  /** A connection that had closed with `code` was replaced by one that repeats this much audio. */
  reconnected(code: number, replayedBytes: number): void {
    this.#replayedBytes += replayedBytes;
    this.#metrics.replayedBytes += replayedBytes;
    this.#metrics.reconnected(code);
  }

  buffered(bytes: number): void {
    this.#worstBufferBytes = Math.max(this.#worstBufferBytes, bytes);
  }

  /** This many bytes of audio, ending at `position`, were written to the connection. */
  sent(bytes: number, position: number): void {
    this.#metrics.deepgramBytes += bytes;
    if (position <= this.#sentTo) return;
    this.#metrics.audioOutBytes += position - this.#sentTo;
    this.#sentTo = position;
  }

  keptAlive(): void {
    this.#metrics.keepAlives++;
  }
}
