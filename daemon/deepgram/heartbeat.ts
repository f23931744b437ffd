import { BYTES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';

/** daemon/deepgram/README.md, "Protocol": 10 s of silence close the stream; one KeepAlive every 3-5 s is recommended. */
const KEEP_ALIVE_AFTER_MS: Millis = 4000;
/** A ping follows this much audio: its pong confirms that Deepgram has read up to there. */
const PING_EVERY_BYTES = 1000 * BYTES_PER_MS;
/** Without audio a ping follows the last one after this time, to detect a dead line. */
const PING_AFTER_MS: Millis = 2000;
/** With the ping interval and the check interval, a half-open connection is noticed within 10 s. */
const PONG_TIMEOUT_MS: Millis = 6000;

interface Ping {
  readonly position: number;
  readonly sentAtMs: Millis;
}

/**
 * What one connection must send to stay alive, what Deepgram has confirmed, and whether the line is dead. It decides
 * only: its owner sends, and passes the time. Positions are bytes of the call.
 */
export class Heartbeat {
  /** Unanswered pings, oldest first. */
  readonly #pings: Ping[] = [];
  #confirmedTo: number;
  #pingedTo: number;
  #pingedAtMs: Millis;
  #sentAtMs: Millis;

  /** @param position where the connection's audio begins */
  constructor(position: number, nowMs: Millis) {
    this.#confirmedTo = position;
    this.#pingedTo = position;
    this.#pingedAtMs = nowMs;
    this.#sentAtMs = nowMs;
  }

  /** Deepgram has read everything before this position. */
  get confirmedTo(): number {
    return this.#confirmedTo;
  }

  /** Audio or a KeepAlive was sent. */
  sent(nowMs: Millis): void {
    this.#sentAtMs = nowMs;
  }

  /** A ping was sent after the audio before `position`. */
  pinged(position: number, nowMs: Millis): void {
    this.#pingedTo = position;
    this.#pingedAtMs = nowMs;
    this.#pings.push({ position, sentAtMs: nowMs });
  }

  /** The ping sent at `position` was answered, and with it all earlier ones. */
  ponged(position: number): void {
    while ((this.#pings[0]?.position ?? Infinity) <= position) this.#pings.shift();
    this.#confirmedTo = Math.max(this.#confirmedTo, position);
  }

  isPingDue(position: number, nowMs: Millis): boolean {
    return position - this.#pingedTo >= PING_EVERY_BYTES || nowMs - this.#pingedAtMs >= PING_AFTER_MS;
  }

  isKeepAliveDue(nowMs: Millis): boolean {
    return nowMs - this.#sentAtMs >= KEEP_ALIVE_AFTER_MS;
  }

  isDead(nowMs: Millis): boolean {
    return nowMs - (this.#pings[0]?.sentAtMs ?? nowMs) > PONG_TIMEOUT_MS;
  }
}
