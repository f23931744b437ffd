import type { Millis } from '../runtime/clock.ts';
import type { ConnectionOutcome } from './connection.ts';

/** Why there is no more audio of the contact. */
export type EndOfContact = 'next-contact' | 'no-more-fragments' | 'stopped';

/** daemon/kinesis/README.md: an ended body is not an ended call, so at least two more attempts decide. */
const MIN_EMPTY_ATTEMPTS = 2;
/**
 * The least time that an attempt gets to bring something: the round trip and the first fragment. After an outage or a
 * pause all calls of an instance open theirs at once.
 */
const SHORTEST_ATTEMPT_MS: Millis = 2000;

/** A connection without data for this long is replaced, and a GetMedia without a response is retried. */
export const READ_STALL_MS: Millis = 10_000;

/** The settings that decide. */
export interface CallEndSettings {
  /** No fragment for this long, in at least two more attempts, means that the call is over. */
  readonly callEndGraceMs: Millis;
}

/** What is known when a GetMedia connection has ended. */
export interface EndedConnection {
  readonly how: ConnectionOutcome['how'];
  /** Whether the stream reported an error: a refusal, which says nothing about the call. */
  readonly wasRefused?: boolean;
  readonly receivedAudio: boolean;
  /**
   * When audio of the contact last arrived, over whichever connection; before the first, when the reading began. Time
   * in which Kinesis refused the stream does not count: it moves this moment forward.
   */
  readonly lastAudioAtMs: Millis;
  /** Attempts in a row before this connection that brought no audio. */
  readonly emptyAttempts: number;
  readonly nowMs: Millis;
}

type CallEndDecision =
  | { readonly isOver: true; readonly reason: EndOfContact }
  | {
      readonly isOver: false;
      /** Attempts in a row that brought no audio. */
      readonly emptyAttempts: number;
      /** How long the next connection may go without audio before it is replaced. */
      readonly silenceLimitMs: Millis;
    };

/** Decides when a call is over (daemon/README.md, decision 4). */
export class CallEnd {
  readonly #graceMs: Millis;
  /** How long a connection may be idle during the call. */
  readonly stallMs: Millis;
  readonly #shortestMs: Millis;

  constructor({ callEndGraceMs }: CallEndSettings) {
    this.#graceMs = callEndGraceMs;
    // Two attempts must fit into the grace period.
    this.stallMs = Math.min(READ_STALL_MS, callEndGraceMs / MIN_EMPTY_ATTEMPTS);
    this.#shortestMs = Math.min(SHORTEST_ATTEMPT_MS, this.stallMs);
  }

  /** A pure decision: the same facts always lead to the same result. */
  afterConnection(ended: EndedConnection): CallEndDecision {
    const { how, wasRefused = false, receivedAudio, lastAudioAtMs, emptyAttempts, nowMs } = ended;
    if (how === 'next-contact' || how === 'stopped') return { isOver: true, reason: how };
    if (how === 'rotated' || how === 'rewound')
      return { isOver: false, emptyAttempts: 0, silenceLimitMs: this.stallMs };
    const attempts = receivedAudio ? 0 : emptyAttempts + Number(!wasRefused);
    const graceLeftMs = this.#graceMs - (nowMs - lastAudioAtMs);
    if (!wasRefused && attempts >= MIN_EMPTY_ATTEMPTS && graceLeftMs <= 0)
      return { isOver: true, reason: 'no-more-fragments' };
    const attemptsLeft = Math.max(1, MIN_EMPTY_ATTEMPTS - attempts);
    return {
      isOver: false,
      emptyAttempts: attempts,
      silenceLimitMs: Math.max(this.#shortestMs, graceLeftMs / attemptsLeft),
    };
  }
}
