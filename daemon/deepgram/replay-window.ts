import type { AudioRun } from '../audio/audio-run.ts';
import { LONGEST_RUN_MS } from '../audio/interleave.ts';
import { AGENT, CUSTOMER } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import { type ChannelPart, FinalAudio, KEPT_BEFORE_FINAL_BYTES, type MissingCause } from './final-audio.ts';
import { momentOf, positionOf, ReplayBuffer } from './replay-buffer.ts';
import { finalEnd, ReceivedResults } from './results.ts';

/**
 * At most this much audio, or REPLAY_MS if that is more, is on its way: sent, and neither confirmed by Deepgram nor, if
 * its pongs are late, acknowledged by TCP. It holds two pings, a second apart, and leaves time to ask TCP.
 */
const LEAST_UNCONFIRMED_MS: Millis = 2000;
/** A final result follows the end of its utterance by this much: an utterance of REPLAY_MS is repeated in full. */
const FINAL_AFTER_MS: Millis = 1000;
/** The longest message of audio: Deepgram recommends 20 to 250 ms (README.md). */
export const MESSAGE_MS: Millis = 250;
/** The most audio that a session keeps, sent and unsent: 32 s. Beyond it, Kinesis keeps the rest. */
export const BUFFER_BYTES = 1024 * 1024;
/** Room for unsent audio in normal operation: a run, which is sent before the next one is written, and rounding. */
const USUALLY_UNSENT_MS: Millis = LONGEST_RUN_MS + 20;
/**
 * After an outage, Deepgram processes the backlog at 1.25 x real time, for minutes: this much more is kept meanwhile.
 */
const MOST_LATE_BYTES = positionOf(60_000);
/** A producer may repeat a fragment of one or two seconds; the aligner finds it in this much of the call. */
const LOOK_BACK_MS: Millis = 2048;

/** With a results relay, audio that is not final is kept for this long; normally a few seconds are not final. */
const RELAYED_MS: Millis = 60_000;
/** An utterance, and how long its final takes. */
const USUALLY_NOT_FINAL_MS: Millis = 5000;

export interface ReplayWindowOptions {
  /** What a reconnect repeats when results do not come back to us (REPLAY_MS). */
  readonly replayMs: Millis;
}

/** What a link needs to know of the relay that its results go to. */
export interface ResultsRelay {
  /** How far each channel is final. */
  readonly finalMs: readonly [Millis, Millis];
  /** Called with speech that has no final and can no longer be repeated. */
  missing(cause: MissingCause, part: ChannelPart): void;
}

/** What Deepgram has done with the audio of a connection. */
interface Progress {
  /** Deepgram has read the audio before this position. */
  readonly readTo: number;
  /** The last part of the sent audio, which cannot have been processed yet. */
  readonly unprocessedBytes: number;
  /** How far Deepgram has heard the call if it only keeps up with real time. */
  readonly heardTo: number;
}

/**
 * The audio that a link keeps: what is still to be sent, and what a reconnect would repeat (daemon/README.md, decision
 * 6). Positions are bytes of the call.
 */
export class ReplayWindow {
  readonly buffer: ReplayBuffer;
  /** The most audio that may be on its way, less one message. */
  readonly unconfirmedBytes: number;
  readonly #replayBytes: number;
  #bufferBytes: number;
  /** Kept beyond that, while Deepgram cannot have processed it. */
  #lateBytes = 0;
  /** Results that come back to us say what need not be repeated; undefined in callback mode. */
  readonly #results: ReceivedResults | undefined;
  /** In callback mode: no reconnect so far had to repeat what comes before, even if all of it were kept here. */
  #safeTo: number;
  /** Undefined without a relay. */
  #final: FinalAudio | undefined;
  #relay: ResultsRelay | undefined;
  #canReadAgain = false;
  /** Pending while the buffer is full. */
  #room: PromiseWithResolvers<void> | undefined;

  /** @param start where in the call the audio begins */
  constructor(start: number, resultsComeBack: boolean, { replayMs }: ReplayWindowOptions) {
    const repeatedMs = resultsComeBack ? 0 : replayMs + FINAL_AFTER_MS;
    this.buffer = new ReplayBuffer(start, positionOf(Math.max(repeatedMs + USUALLY_UNSENT_MS, LOOK_BACK_MS)));
    this.unconfirmedBytes = positionOf(Math.max(replayMs, LEAST_UNCONFIRMED_MS) - MESSAGE_MS);
    this.#replayBytes = positionOf(repeatedMs);
    // What is repeated fills at most half of it, so there is room for new audio.
    this.#bufferBytes = Math.max(BUFFER_BYTES, 2 * this.unconfirmedBytes, 2 * this.#replayBytes);
    this.#safeTo = start;
    this.#results = resultsComeBack ? new ReceivedResults(start) : undefined;
  }

  /** Notes a message from a connection whose time 0 is at `startsAt`. */
  note(message: unknown, startsAt: number): void {
    const { sent } = this.buffer;
    this.#results?.note(message, startsAt, sent);
    // Nothing is final that was not sent.
    const final = this.#final && finalEnd(message, startsAt, sent);
    if (final) this.#final?.finalized(final.channel, final.end);
  }

  /** Takes audio that was written to the buffer. */
  commit(run: AudioRun): void {
    this.buffer.commit(run);
    this.#final?.add(run.frames);
  }

  /** From the beginning, a reconnect repeats exactly what is not final. Call it before `commit`. */
  relayResults(relay: ResultsRelay): void {
    this.#relay = relay;
    this.#final = this.#finalOf(relay);
    this.#bufferBytes = Math.max(this.#bufferBytes, 2 * positionOf(RELAYED_MS));
    this.buffer.expect(KEPT_BEFORE_FINAL_BYTES + positionOf(USUALLY_NOT_FINAL_MS + USUALLY_UNSENT_MS));
  }

  /** The call can be read again, as far as Deepgram may need it. Results without a relay go nowhere: not for them. */
  allowReadingAgain(): void {
    this.#canReadAgain = this.#relay !== undefined || this.#results === undefined;
  }

  #finalOf(relay: ResultsRelay): FinalAudio {
    const final = new FinalAudio(this.buffer.end, (cause, part) => relay.missing(cause, part));
    for (const channel of [CUSTOMER, AGENT] as const) final.finalized(channel, positionOf(relay.finalMs[channel]));
    return final;
  }

  /** Deepgram has sent its last result. */
  conclude(): void {
    this.#final?.conclude(this.buffer.sent);
  }

  /** What was sent, up to a position, and is not final, where a relay takes the results. */
  notFinal(sentTo: number): readonly ChannelPart[] {
    return this.#final?.notFinal(sentTo) ?? [];
  }

  /**
   * Audio before this need not be read again, even after a crash. Never decreases. It does not follow what is kept here:
   * of a backlog that Deepgram has taken and not processed, that is only the end.
   * @param progress of the connection, if there is one
   */
  safeTo(progress: Progress | undefined): number {
    if (this.#final) return this.#final.safeTo;
    if (this.#results) return progress ? this.keepFrom(progress) : this.buffer.sent;
    if (progress) this.#noteSafe(progress.readTo, lateBytesOf(progress.unprocessedBytes));
    return this.#safeTo;
  }

  #noteSafe(readTo: number, lateBytes: number): void {
    this.#safeTo = Math.max(this.#safeTo, positionOf(momentOf(this.#neededFrom(readTo, lateBytes))));
  }

  /** Results so far; undefined in callback mode. */
  get resultsCount(): number | undefined {
    return this.#results?.count;
  }

  /** The position up to which the call is final; undefined if no result says so. */
  get finalTo(): number | undefined {
    if (this.#final) return this.#final.finalTo;
    return this.#results?.count ? this.#results.finalTo : undefined;
  }

  /** Call time that was sent and is not final; undefined if no result says so. */
  get notFinalMs(): Millis | undefined {
    const { finalTo } = this;
    if (finalTo === undefined) return undefined;
    return Math.max(0, Math.floor(momentOf(this.buffer.sent)) - momentOf(finalTo));
  }

  /** Undefined while there is room; otherwise resolves when there is. */
  whenRoom(): Promise<void> | undefined {
    if (!this.#isFull) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /**
   * Where the audio that a reconnect would repeat begins, at a whole ms. It never moves back, however little the current
   * connection has read.
   */
  keepFrom({ readTo, unprocessedBytes }: Progress): number {
    const lateBytes = lateBytesOf(unprocessedBytes);
    return this.#keepFrom(readTo, lateBytes, this.#extraBytes(readTo, lateBytes));
  }

  /** Forgets what a reconnect would not repeat. */
  advance(progress: Progress, nowMs: Millis): void {
    const { readTo, unprocessedBytes } = progress;
    const lateBytes = lateBytesOf(unprocessedBytes);
    if (this.#final) this.#final.settle(this.buffer.sent, progress.heardTo, nowMs);
    else this.#noteSafe(readTo, lateBytes);
    const extraBytes = this.#extraBytes(readTo, lateBytes);
    this.#lateBytes = this.#mustReadAgain(readTo, lateBytes, extraBytes) ? 0 : extraBytes;
    this.buffer.forget(this.#keepFrom(readTo, lateBytes, extraBytes));
    if (!this.#isFull) this.releaseWaiting();
  }

  #keepFrom(readTo: number, lateBytes: number, extraBytes: number): number {
    const { sent, heldFrom } = this.buffer;
    // Missing results must not keep more than half of the buffer.
    const mostBytes = this.#mustReadAgain(readTo, lateBytes, extraBytes)
      ? BUFFER_BYTES / 2
      : this.#bufferBytes / 2 + extraBytes;
    const position = Math.max(this.#neededFrom(readTo, lateBytes), sent - mostBytes);
    return Math.max(heldFrom, positionOf(momentOf(position)));
  }

  /** True if the call would be read again from before what could be kept: then it need not be kept too. */
  #mustReadAgain(readTo: number, lateBytes: number, extraBytes: number): boolean {
    const mostBytes = this.#bufferBytes / 2 + extraBytes;
    return this.#canReadAgain && this.buffer.sent - this.#neededFrom(readTo, lateBytes) > mostBytes;
  }

  /** Where what a reconnect must repeat begins, whether it is kept or not. */
  #neededFrom(readTo: number, lateBytes: number): number {
    // Final audio has been read.
    if (this.#final) return this.#final.neededFrom;
    return Math.min(this.#results?.finalTo ?? this.buffer.sent - this.#replayBytes - lateBytes, readTo);
  }

  /** Rewinds to what the next connection must repeat; returns where that begins. */
  rewind(progress: Progress): number {
    const from = this.keepFrom(progress);
    this.buffer.forget(from);
    const resumesAt = this.buffer.rewind(Math.max(from, this.#final?.beginning ?? from));
    this.#final?.passOver(resumesAt);
    return resumesAt;
  }

  /**
   * True if the call must be read again, because the next connection must repeat more than is kept here: a relay lacks
   * finals of it, or Deepgram cannot have processed it.
   */
  hasOutgrown(progress: Progress): boolean {
    if (!this.#canReadAgain) return false;
    return (this.#final?.finalTo ?? this.safeTo(progress)) < this.keepFrom(progress);
  }

  /** Where audio begins that is lost if no connection repeats it. With a relay, silence need not have been read. */
  lostFrom(releasedTo: number, processedTo: number): number {
    return this.#final ? processedTo : Math.min(releasedTo, processedTo);
  }

  /** Continues with audio from an earlier position on, which is about to be read again. */
  restart(position: number): void {
    this.buffer.restart(position);
    this.#final = this.#relay && this.#finalOf(this.#relay);
    this.#lateBytes = 0;
    this.releaseWaiting();
  }

  releaseWaiting(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  /**
   * What may be kept beyond half of the buffer: audio that waits to be processed, and the same amount that is
   * unconfirmed.
   */
  #extraBytes(readTo: number, lateBytes: number): number {
    const half = this.#bufferBytes / 2;
    const unconfirmedBytes = Math.min(this.buffer.sent - readTo - half, half);
    return Math.max(0, unconfirmedBytes, Math.min(lateBytes, MOST_LATE_BYTES));
  }

  get #isFull(): boolean {
    return this.buffer.heldBytes > this.#bufferBytes + this.#lateBytes;
  }
}

/** Audio that waits unusually long to be processed; a smaller backlog is part of what is repeated anyway. */
function lateBytesOf(unprocessedBytes: number): number {
  return Math.max(0, unprocessedBytes - positionOf(FINAL_AFTER_MS));
}
