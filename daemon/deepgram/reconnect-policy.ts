import { backoffMs } from '../runtime/backoff.ts';
import type { Millis } from '../runtime/clock.ts';
import { DeepgramRefused } from './errors.ts';

/** The first retry comes soon, because most breaks pass at once; later ones spare a Deepgram in trouble. */
const FIRST_RETRY_MS: Millis = 250;
const LONGEST_RETRY_MS: Millis = 5000;
/** A longer handshake is abandoned and retried with twice the time: some take more than 5 s. */
const HANDSHAKE_TIMEOUT_MS: Millis = 5000;
const LONGEST_HANDSHAKE_TIMEOUT_MS: Millis = 20_000;
/** A longer Retry-After would cost the call more than a request too early costs Deepgram. */
const LONGEST_RETRY_AFTER_MS: Millis = 60_000;
/**
 * After CloseStream, that many lost connections are replaced: their last results may be missing. More are replaced only
 * if they were lost while they worked, so that a line that always ends oddly is no loop: without limit while each of them
 * reaches further, otherwise that many.
 */
const REPLACED_AFTER_CLOSE_STREAM = 1;
const REPLACED_AT_WORK = 5;
const WORKED_OFF_MS: Millis = 1000;
/** The loss of a connection that lasted this long begins a new outage, with its own backoff and time to give up. */
const GOOD_CONNECTION_MS: Millis = 10_000;
/** Close codes that end a stream as planned; 1005 is a close without a code. */
const NORMAL_CLOSES: ReadonlySet<number> = new Set([1000, 1005]);

/** True for a close that ends a stream as planned. */
export function isNormalClose(code: number): boolean {
  return NORMAL_CLOSES.has(code);
}

/** A connection that has closed. */
interface ClosedConnection {
  readonly code: number;
  readonly openedAtMs: Millis;
  readonly closeStreamSent: boolean;
  /** How long ago CloseStream was sent on it; 0 if it was not. */
  readonly closingForMs: Millis;
  /** Deepgram has sent its last message, or results that are final to the end: nothing is missing. */
  readonly isFinished: boolean;
  /** Where in the call the audio begins that cannot have been processed, and how much that is. */
  readonly processedToMs: Millis;
  readonly unprocessedMs: Millis;
}

interface Finish {
  readonly name: 'finish';
}
export interface Reconnect {
  readonly name: 'reconnect';
  readonly delayMs: Millis;
  readonly handshakeTimeoutMs: Millis;
}
export interface GiveUp {
  readonly name: 'give-up';
  readonly error: Error;
}

/** Decides whether and when a link reconnects. It decides only: its owner waits, connects, and passes the time. */
export class ReconnectPolicy {
  readonly #giveUpMs: Millis;
  readonly #random: () => number;
  /** When the outage began; undefined before the first one. */
  #sinceMs: Millis | undefined;
  #retries = 0;
  #timeouts = 0;
  #lostAfterCloseStream = 0;
  #lostAtWork = 0;
  #processedToMs: Millis = 0;

  /**
   * @param giveUpMs how long an outage may last
   * @param random in [0, 1): the sessions of a thread must not all reconnect at once
   */
  constructor(giveUpMs: Millis, random: () => number) {
    this.#giveUpMs = giveUpMs;
    this.#random = random;
  }

  afterClose(closed: ClosedConnection, cause: Error, nowMs: Millis): Finish | Reconnect | GiveUp {
    const { code, openedAtMs, closeStreamSent, isFinished } = closed;
    if (closeStreamSent && (isFinished || isNormalClose(code) || this.#isLostTooOften(closed)))
      return { name: 'finish' };
    if (this.#sinceMs === undefined || nowMs - openedAtMs >= GOOD_CONNECTION_MS) {
      this.#sinceMs = nowMs;
      this.#retries = 0;
      this.#timeouts = 0;
    }
    return this.#retry(cause, this.#sinceMs, nowMs);
  }

  afterFailedHandshake(cause: Error, nowMs: Millis): Reconnect | GiveUp {
    if (cause instanceof DeepgramRefused && !cause.retryable) return { name: 'give-up', error: cause };
    if (cause.name === 'TimeoutError') this.#timeouts++;
    return this.#retry(cause, this.#sinceMs ?? nowMs, nowMs);
  }

  #isLostTooOften(closed: ClosedConnection): boolean {
    const isAtWork = closed.unprocessedMs > 0 && this.#hasWorked(closed);
    this.#processedToMs = Math.max(this.#processedToMs, closed.processedToMs);
    return ++this.#lostAfterCloseStream > REPLACED_AFTER_CLOSE_STREAM && !isAtWork;
  }

  #hasWorked({ processedToMs, closingForMs }: ClosedConnection): boolean {
    if (processedToMs >= this.#processedToMs + WORKED_OFF_MS) return true;
    return closingForMs >= WORKED_OFF_MS && ++this.#lostAtWork <= REPLACED_AT_WORK;
  }

  #retry(cause: Error, sinceMs: Millis, nowMs: Millis): Reconnect | GiveUp {
    if (nowMs - sinceMs > this.#giveUpMs) return { name: 'give-up', error: cause };
    const options = { firstMs: FIRST_RETRY_MS, longestMs: LONGEST_RETRY_MS, random: this.#random };
    const askedMs = (cause instanceof DeepgramRefused && cause.retryAfterMs) || 0;
    // In addition: sessions that are asked to wait for the same time must not come back at once.
    const delayMs = Math.min(askedMs, LONGEST_RETRY_AFTER_MS) + backoffMs(this.#retries++, options);
    const handshakeTimeoutMs = Math.min(HANDSHAKE_TIMEOUT_MS * 2 ** this.#timeouts, LONGEST_HANDSHAKE_TIMEOUT_MS);
    return { name: 'reconnect', delayMs, handshakeTimeoutMs };
  }
}
