import { errorFields, type Log } from '../log/log.ts';
import type { Millis } from '../runtime/clock.ts';
import { momentOf } from './replay-buffer.ts';
import type { SocketClose } from './socket.ts';

/** The time from the loss of a connection to its replacement. */
export class Outage {
  readonly close: SocketClose;
  /** Bytes that the next connection sends again. */
  readonly replayedBytes: number;
  /** Where the next connection begins. */
  readonly resumesAt: number;
  readonly #lostAtMs: Millis;

  /**
   * @param sentTo up to where the call had been sent
   * @param resumesAt where the next connection begins; both are bytes of the call
   */
  constructor(close: SocketClose, lostAtMs: Millis, sentTo: number, resumesAt: number) {
    this.close = close;
    this.replayedBytes = sentTo - resumesAt;
    this.#lostAtMs = lostAtMs;
    this.resumesAt = resumesAt;
  }

  logRetry(log: Log, cause: Error, delayMs: Millis): void {
    const { code, reason } = this.close;
    const fields = { code, closeReason: reason, delayMs, ...errorFields(cause) };
    log.warn({ event: 'deepgram.lost', ...fields }, 'lost Deepgram: reconnecting');
  }

  logEnd(log: Log, requestId: string | undefined, nowMs: Millis): void {
    const offsetMs = momentOf(this.resumesAt);
    const replayedMs = momentOf(this.replayedBytes);
    const fields = { requestId, offsetMs, replayedMs, disconnectedMs: nowMs - this.#lostAtMs };
    log.info({ event: 'deepgram.reconnected', ...fields }, 'reconnected to Deepgram');
  }
}
