import type { AudioBlock } from '../audio/pcm.ts';
import { errorFields, type Log } from '../log/log.ts';
import { Demuxer } from '../matroska/demuxer.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { Chunks, type MediaEnd } from './chunks.ts';
import type { Position } from './contact.ts';
import type { ContactFilter } from './filter/contact-filter.ts';
import type { Media } from './media-source.ts';
import { ReadSchedule } from './read-schedule.ts';
import { type KinesisRefused, notMatroska } from './refusal.ts';
import { Rotation } from './rotation.ts';

/** How one GetMedia connection of a contact ended. */
export interface ConnectionOutcome {
  /** `rewound`: the call may have begun earlier; `foreign-fragments`: it brought only fragments that are not the contact's. */
  readonly how: MediaEnd['how'] | 'rotated' | 'rewound' | 'next-contact' | 'foreign-fragments';
  /**
   * When audio of the contact last arrived, or back-pressure ended after it, without the time in which the process stood
   * still; undefined: none did.
   */
  readonly lastAudioAtMs: Millis | undefined;
  /** The connection that takes over, opened before this one ended. */
  readonly successor?: Media;
  /** Where the next connection must start, because the call may have begun earlier than this one. */
  readonly rewindToMs?: Millis | undefined;
  /** What the stream itself reported (daemon/kinesis/README.md, "Errors inside the stream"), or that it is not Matroska. */
  readonly streamError?: KinesisRefused | undefined;
}

/** Why a connection is left before it ends, or what takes over; neither when it has ended. */
interface Leaving {
  readonly how?: ConnectionOutcome['how'];
  readonly successor?: Media;
}

interface ConnectionOptions {
  /** See ReaderOptions. */
  readonly forward: (blocks: readonly AudioBlock[], position: Position | undefined) => Promise<void> | undefined;
  /** Opens the connection that takes over when this one is old. */
  readonly openSuccessor: (signal: AbortSignal) => Promise<Media>;
  readonly filter: ContactFilter;
  readonly timers: TimerWheel;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  readonly signal: AbortSignal;
  readonly rotateAfterMs: Millis;
  /** How long the connection may go without audio before the first one arrives. */
  readonly silenceLimitMs: Millis;
  /** The same after the first audio. */
  readonly stallMs: Millis;
}

/** One GetMedia connection of a contact: demuxes and filters its bytes and forwards the audio. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #media: Media;
  readonly #chunks: Chunks;
  readonly #demuxer: Demuxer;
  readonly #schedule: ReadSchedule;
  readonly #rotation: Rotation;
  #silenceLimitMs: Millis;
  #lastAudioAtMs: Millis | undefined;
  /** Silence counts from here: the last audio, or the end of back-pressure. */
  #listeningSinceMs: Millis;
  #foreignFragments: number;

  constructor(media: Media, options: ConnectionOptions) {
    const { openSuccessor, filter, timers, log, metrics, signal, rotateAfterMs, silenceLimitMs } = options;
    this.#options = options;
    this.#media = media;
    this.#chunks = new Chunks(media, silenceLimitMs, timers, signal);
    this.#demuxer = new Demuxer(filter);
    this.#schedule = new ReadSchedule(timers);
    this.#rotation = new Rotation(openSuccessor, { clock: timers, log, metrics, rotateAfterMs });
    this.#silenceLimitMs = silenceLimitMs;
    this.#listeningSinceMs = timers.now();
    this.#foreignFragments = filter.foreignFragments;
  }

  /** Reads until the connection ends, is replaced, or the next contact begins. Throws what `forward` throws. */
  async read(): Promise<ConnectionOutcome> {
    const { filter, signal } = this.#options;
    let how: ConnectionOutcome['how'] | undefined;
    let successor: Media | undefined;
    try {
      ({ how, successor } = await this.#readOn());
      if (how === 'next-contact') return { how, lastAudioAtMs: this.#lastAudioAtMs };
      if (how !== 'rewound') successor ??= await this.#rotation.afterEnd(signal);
    } finally {
      this.#chunks.close();
      this.#rotation.close(successor);
    }
    const lastAudioAtMs = this.#lastAudioAtMs;
    if (signal.aborted) {
      successor?.close();
      return { how: 'stopped', lastAudioAtMs };
    }
    const { rewindToMs } = filter;
    const streamError = filter.connectionEnded() ?? (this.#demuxer.isForeign ? notMatroska() : undefined);
    if (successor) return { how: 'rotated', lastAudioAtMs, successor, streamError };
    how ??= this.#chunks.end.how;
    this.#log(how);
    return { how, lastAudioAtMs, streamError, rewindToMs };
  }

  /** Reads until the bytes end or there is a reason to leave. Rejects with what `forward` throws. */
  #readOn(): Promise<Leaving> {
    const { promise, resolve, reject } = Promise.withResolvers<Leaving>();
    const read = () => this.#chunks.read(this.#schedule.nextMs(), take);
    const goOn = () => {
      const leaving = this.#leaving();
      if (leaving) resolve(leaving);
      else read();
    };
    const take = (chunk: Uint8Array | undefined) => {
      try {
        if (!chunk) return resolve({});
        const free = this.#take(chunk);
        if (free) this.#hold(free).then(goOn).catch(reject);
        else goOn();
      } catch (error) {
        reject(error);
      }
    };
    read();
    return promise;
  }

  /** Forwards the contact's audio in a chunk. A promise holds the connection back until it resolves. */
  #take(chunk: Uint8Array): Promise<void> | undefined {
    const { filter, forward, metrics, timers, stallMs } = this.#options;
    this.#foreignFragments = filter.foreignFragments;
    filter.nowMs = timers.now();
    metrics.kinesisBytes += chunk.length;
    this.#demuxer.push(chunk);
    if (filter.behindNowMs !== undefined) metrics.behindNow(filter.behindNowMs);
    filter.behindNowMs = undefined;
    if (filter.blockMs > 0) this.#schedule.brought(filter.blockEndMs, filter.blockMs, filter.nowMs);
    filter.blockMs = 0;
    const blocks = filter.take();
    if (blocks.length === 0) return undefined;
    if (this.#lastAudioAtMs === undefined) {
      this.#silenceLimitMs = stallMs;
      this.#chunks.waitUpTo(stallMs);
    }
    this.#lastAudioAtMs = timers.awakeMs;
    this.#listeningSinceMs = filter.nowMs;
    return forward(blocks, filter.position);
  }

  /** Undefined to read on. */
  #leaving(): Leaving | undefined {
    const { filter } = this.#options;
    if (filter.nextContactBegan) return { how: 'next-contact' };
    if (filter.rewindToMs !== undefined) return { how: 'rewound' };
    if (this.#bringsOnlyForeign()) return { how: 'foreign-fragments' };
    const successor = this.#rotation.takeOver(filter.isBetweenFragments);
    return successor && { successor };
  }

  async #hold(free: Promise<void>): Promise<void> {
    const { timers } = this.#options;
    await this.#chunks.holdUntil(free);
    this.#listeningSinceMs = timers.now();
    this.#lastAudioAtMs = timers.awakeMs;
  }

  /** Foreign fragments may continue forever: a connection that brings nothing else counts as idle. */
  #bringsOnlyForeign(): boolean {
    const { filter } = this.#options;
    const silentMs = filter.nowMs - this.#listeningSinceMs;
    return filter.foreignFragments > this.#foreignFragments && silentMs > this.#silenceLimitMs;
  }

  #log(how: ConnectionOutcome['how']): void {
    const { end } = this.#chunks;
    const cause = end.how === 'broken' ? errorFields(end.cause) : {};
    const fields = { event: 'kinesis.ended', how, requestId: this.#media.requestId, ...cause };
    this.#options.log.debug(fields, 'a GetMedia connection ended');
  }
}
