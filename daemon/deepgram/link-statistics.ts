import type { AudioRun } from '../audio/audio-run.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import { refusalOf } from './errors.ts';
import { momentOf } from './replay-buffer.ts';

/** What a link has done so far. */
export interface LinkStats {
  /** Deepgram's ids of the connections, in order. */
  readonly requestIds: readonly string[];
  /** Call time sent to Deepgram, and how much of it more than once. */
  readonly audioMs: Millis;
  readonly replayedMs: Millis;
  /** From the arrival of audio to its write to Deepgram's socket: the latest and the worst. */
  readonly lagMs: Millis;
  readonly worstLagMs: Millis;
  /** The most audio that was ever kept here at once. */
  readonly worstBufferBytes: number;
}

/** Counts what a link does, for its session and for the thread's metrics. Positions are bytes of the call. */
export class LinkStatistics {
  readonly #metrics: SessionMetrics;
  readonly #requestIds: string[] = [];
  #sentTo: number;
  #replayedBytes = 0;
  #lagMs: Millis = 0;
  #worstLagMs: Millis = 0;
  #worstBufferBytes = 0;

  /** @param start where in the call the audio begins */
  constructor(start: number, metrics: SessionMetrics) {
    this.#sentTo = start;
    this.#metrics = metrics;
  }

  get connections(): number {
    return this.#requestIds.length;
  }

  snapshot(): LinkStats {
    return {
      requestIds: this.#requestIds,
      audioMs: momentOf(this.#sentTo),
      replayedMs: momentOf(this.#replayedBytes),
      lagMs: this.#lagMs,
      worstLagMs: this.#worstLagMs,
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

  /** A run that ends at `position` was written to the socket. */
  sent({ pcm, arrivedAtMs }: AudioRun, position: number, nowMs: Millis): void {
    this.#metrics.deepgramBytes += pcm.length;
    if (position <= this.#sentTo) return;
    this.#metrics.audioOutBytes += position - this.#sentTo;
    this.#sentTo = position;
    if (arrivedAtMs === undefined) return;
    this.#lagMs = nowMs - arrivedAtMs;
    this.#metrics.lagMs.observe(this.#lagMs);
    this.#worstLagMs = Math.max(this.#worstLagMs, this.#lagMs);
  }

  keptAlive(): void {
    this.#metrics.keepAlives++;
  }
}
