import type { Millis } from '../runtime/clock.ts';
import { momentOf, positionOf, ReplayBuffer } from './replay-buffer.ts';
import { FinalResults } from './results.ts';

/**
 * At most this much audio, or REPLAY_MS if that is more, is sent without confirmation, so a reconnect repeats no more.
 * It holds two pings, a second apart, and leaves time for slow pongs.
 */
const LEAST_UNCONFIRMED_MS: Millis = 2000;
/** Unsent audio in normal operation: what one read brings. */
const USUALLY_UNSENT_MS: Millis = 300;
/** A producer may repeat a fragment of one or two seconds; the aligner finds it in this much of the call. */
const LOOK_BACK_MS: Millis = 2048;

export interface ReplayWindowOptions {
  /** What a reconnect repeats when results do not come back to us (REPLAY_MS). */
  readonly replayMs: Millis;
  /** The most audio that is kept, sent and unsent. */
  readonly bufferBytes: number;
  /** The longest message of audio (MESSAGE_MS). */
  readonly messageMs: Millis;
}

/**
 * The audio that a link keeps: what is still to be sent, and what a reconnect would repeat (daemon/README.md, decision
 * 6). Positions are bytes of the call.
 */
export class ReplayWindow {
  readonly buffer: ReplayBuffer;
  /** The most audio that may be sent beyond the last confirmation, less one message. */
  readonly unconfirmedBytes: number;
  readonly #replayBytes: number;
  readonly #bufferBytes: number;
  /** Results that come back to us say what need not be repeated; undefined in callback mode. */
  readonly #finals: FinalResults | undefined;
  /** Pending while the buffer is full. */
  #room: PromiseWithResolvers<void> | undefined;

  /** @param start where in the call the audio begins */
  constructor(start: number, resultsComeBack: boolean, { replayMs, messageMs, bufferBytes }: ReplayWindowOptions) {
    this.buffer = new ReplayBuffer(start, positionOf(Math.max(replayMs, LOOK_BACK_MS) + USUALLY_UNSENT_MS));
    this.unconfirmedBytes = positionOf(Math.max(replayMs, LEAST_UNCONFIRMED_MS) - messageMs);
    this.#replayBytes = positionOf(replayMs);
    this.#bufferBytes = bufferBytes;
    this.#finals = resultsComeBack ? new FinalResults(start) : undefined;
  }

  /** Notes a message from a connection whose time 0 is at `startsAt`. */
  note(message: unknown, startsAt: number): void {
    this.#finals?.note(message, startsAt);
  }

  /** Undefined while there is room; otherwise resolves when there is. */
  whenRoom(): Promise<void> | undefined {
    if (!this.#isFull) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /**
   * Where the audio that a reconnect would repeat begins, at a whole ms. It never moves back, however little the current
   * connection has confirmed.
   * @param confirmedTo what Deepgram has confirmed on the current connection
   */
  keepFrom(confirmedTo: number): number {
    const { sent, heldFrom } = this.buffer;
    const position = this.#finals
      ? // Missing results must not keep more than half of the buffer.
        Math.max(Math.min(this.#finals.reachTo, confirmedTo), sent - this.#bufferBytes / 2)
      : Math.min(confirmedTo, sent - this.#replayBytes);
    return Math.max(heldFrom, positionOf(momentOf(position)));
  }

  /** Forgets what a reconnect would not repeat. */
  advance(confirmedTo: number): void {
    this.buffer.forget(this.keepFrom(confirmedTo));
    if (!this.#isFull) this.releaseWaiting();
  }

  /** Goes back to what the next connection must repeat; returns where that begins. */
  rewind(confirmedTo: number): number {
    const from = this.keepFrom(confirmedTo);
    this.buffer.forget(from);
    return this.buffer.rewind(from);
  }

  releaseWaiting(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  get #isFull(): boolean {
    return this.buffer.heldBytes > this.#bufferBytes;
  }
}
