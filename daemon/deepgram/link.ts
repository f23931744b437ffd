import { setTimeout as sleep } from 'node:timers/promises';
import type { AudioRun } from '../audio/audio-run.ts';
import type { CallBuffer } from '../audio/call-buffer.ts';
import { BYTES_PER_MS } from '../contract/audio-format.ts';
import { type DeepgramParams, reconnectParams } from '../contract/deepgram-params.ts';
import { errorFields, type Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { Connection } from './connection.ts';
import { DeepgramLost, DeepgramRefused, refusalOf } from './errors.ts';
import { ReconnectPolicy } from './reconnect-policy.ts';
import { momentOf, positionOf, ReplayBuffer } from './replay-buffer.ts';
import { FinalResults } from './results.ts';
import type { DeepgramSettings, SocketClose } from './socket.ts';

/** A handshake that takes longer is given up and tried anew. */
const HANDSHAKE_TIMEOUT_MS: Millis = 5000;
/** Deepgram answers CloseStream with the last results within a second or two; more means that it will not. */
const FINISH_TIMEOUT_MS: Millis = 10_000;
/**
 * Audio under way without a sign that Deepgram has read it is at most this, or REPLAY_MS when that is more, a message
 * included: so a reconnect sends no more than that twice. Two pings of a second each fit in, with room for slow pongs.
 */
const LEAST_WINDOW_MS: Millis = 2000;
/** What waits to be sent when all is well: the audio of a read. */
const USUALLY_UNSENT_MS: Millis = 300;
/** What a producer sends again is a fragment, one or two seconds long: so far back the call can be looked at. */
const LOOK_BACK_MS: Millis = 2048;
/** What a proper end looks like; 1005 is a close without a code. */
const CLOSED_PROPERLY: ReadonlySet<number> = new Set([1000, 1005]);

export interface LinkOptions {
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  /** In [0, 1): the retries of many sessions must not come all at once. */
  readonly random: () => number;
  /** Audio is handed over in messages no longer than this (MESSAGE_MS). */
  readonly messageMs: Millis;
  /** What is sent again after a reconnect when results do not come back to us (REPLAY_MS). */
  readonly replayMs: Millis;
  /** How long Deepgram may stay away before the session ends as failed (DEEPGRAM_GIVE_UP_MS). */
  readonly giveUpMs: Millis;
  /** The most audio that is kept here, sent and unsent. */
  readonly bufferBytes: number;
  /** Where in the call the audio begins, and how many connections there were, when the session goes on after a crash. */
  readonly callMs: Millis;
  readonly connections: number;
  /** Takes each message of Deepgram's, and where in the call its connection's time 0 is. */
  readonly onMessage: (message: unknown, offsetMs: Millis) => void;
}

/** What has come of a link so far. */
export interface LinkStats {
  /** Deepgram's ids of the connections, first to last. */
  readonly requestIds: readonly string[];
  /** Call time handed over to Deepgram, and how much of it more than once. */
  readonly audioMs: Millis;
  readonly replayedMs: Millis;
  /** From the arrival of a block here to its hand-over to Deepgram's socket: the last one and the worst one. */
  readonly lagMs: Millis;
  readonly worstLagMs: Millis;
  /** The most audio that was ever kept here at once. */
  readonly worstBufferBytes: number;
}

/**
 * A session's line to Deepgram, across as many connections as it takes. Audio handed over is kept until it need not be
 * sent again, and every connection after the first begins early enough that nothing is lost (daemon/README.md, decision 6).
 */
export class Link {
  readonly #settings: DeepgramSettings;
  readonly #params: DeepgramParams;
  readonly #options: LinkOptions;
  readonly #replayBuffer: ReplayBuffer;
  /** Where results come back to us, they tell what need not be kept. */
  readonly #finals: FinalResults | undefined;
  readonly #reconnectPolicy: ReconnectPolicy;
  readonly #abandoned = new AbortController();
  readonly #requestIds: string[] = [];
  #ended: Promise<Error | undefined> = Promise.resolve(undefined);
  #connection: Connection | undefined;
  #failure: Error | undefined;
  #finishing = false;
  #finishTimeout: NodeJS.Timeout | undefined;
  #timedOut = false;
  #room: PromiseWithResolvers<void> | undefined;
  #sentTo = 0;
  #replayedBytes = 0;
  #lagMs: Millis = 0;
  #worstLagMs: Millis = 0;
  #worstBufferBytes = 0;

  /** Opens the line; throws DeepgramRefused, DeepgramUnreachable, or the signal's reason. */
  static async open(
    settings: DeepgramSettings,
    params: DeepgramParams,
    signal: AbortSignal,
    options: LinkOptions,
  ): Promise<Link> {
    const link = new Link(settings, params, options);
    const first = await link.#connect(signal);
    link.#ended = link.#stayConnected(first);
    return link;
  }

  private constructor(settings: DeepgramSettings, params: DeepgramParams, options: LinkOptions) {
    this.#settings = settings;
    this.#params = params;
    this.#options = options;
    this.#reconnectPolicy = new ReconnectPolicy(options.giveUpMs, options.clock, options.random);
    const keptMs = Math.max(options.replayMs, LOOK_BACK_MS) + USUALLY_UNSENT_MS;
    this.#replayBuffer = new ReplayBuffer(positionOf(options.callMs), positionOf(keptMs));
    this.#sentTo = this.#replayBuffer.sent;
    this.#finals = params['callback'] === undefined ? new FinalResults(this.#replayBuffer.sent) : undefined;
  }

  /** Resolves when the line is over: with an error when that was before its time. Never rejects. */
  get ended(): Promise<Error | undefined> {
    return this.#ended;
  }

  /** Up to where in the call nothing needs to be sent again, whatever happens to this process. */
  get safeMs(): Millis {
    const position = this.#connection ? this.#keepFrom(this.#connection) : this.#replayBuffer.sent;
    return Math.max(0, Math.floor(momentOf(position)));
  }

  /** Connections so far, those before a crash included. */
  get connections(): number {
    return this.#options.connections + this.#requestIds.length;
  }

  stats(): LinkStats {
    return {
      requestIds: this.#requestIds,
      audioMs: momentOf(this.#sentTo),
      replayedMs: momentOf(this.#replayedBytes),
      lagMs: this.#lagMs,
      worstLagMs: this.#worstLagMs,
      worstBufferBytes: this.#worstBufferBytes,
    };
  }

  /** Where the call's audio is written before it is sent. */
  get buffer(): CallBuffer {
    return this.#replayBuffer;
  }

  /**
   * Hands over the next run of the call, written to `buffer`. Gives a promise when as much is kept here as may be:
   * nothing more is to be handed over until it resolves. Throws what ended the line.
   */
  send(run: AudioRun): Promise<void> | undefined {
    if (this.#failure) throw this.#failure;
    this.#replayBuffer.commit(run);
    this.#connection?.pump();
    this.#worstBufferBytes = Math.max(this.#worstBufferBytes, this.#replayBuffer.heldBytes);
    if (this.#replayBuffer.heldBytes <= this.#options.bufferBytes) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Tells Deepgram, once it has all of the call, that this was it, and waits for its last results. Throws what kept it. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#settle();
    const error = await this.#ended;
    if (error) throw error;
  }

  /** Ends the line now, whatever Deepgram may still have to say. */
  abandon(): void {
    this.#abandoned.abort();
    this.#connection?.terminate();
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    const { clock, timers, metrics, replayMs, messageMs, onMessage } = this.#options;
    const startsAt = this.#replayBuffer.sent;
    const isFirst = this.connections === 0;
    const params = isFirst ? this.#params : reconnectParams(this.#params, momentOf(startsAt), this.connections + 1);
    const connection = await Connection.open(this.#settings, params, signal, {
      replayBuffer: this.#replayBuffer,
      clock,
      timers,
      metrics,
      messageBytes: positionOf(messageMs),
      windowBytes: positionOf(Math.max(replayMs, LEAST_WINDOW_MS) - messageMs),
      onMessage: (message) => {
        this.#finals?.note(message, startsAt);
        onMessage(message, momentOf(startsAt));
      },
      onSent: (arrivedAtMs, sentAtMs) => this.#sent(arrivedAtMs, sentAtMs),
      onProgress: () => this.#settle(),
    }).catch((error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal) metrics.handshakeFailed(refusal);
      throw error;
    });
    this.#requestIds.push(connection.requestId ?? '');
    this.#connection = connection;
    connection.pump();
    this.#settle();
    return connection;
  }

  async #stayConnected(first: Connection): Promise<Error | undefined> {
    let connection = first;
    try {
      for (;;) {
        const close = await connection.closed;
        this.#connection = undefined;
        clearTimeout(this.#finishTimeout);
        const closedProperly = connection.closeStreamSent && CLOSED_PROPERLY.has(close.code);
        if (closedProperly || this.#timedOut || this.#abandoned.signal.aborted) return undefined;
        connection = await this.#reconnect(connection, close);
      }
    } catch (error) {
      if (this.#abandoned.signal.aborted) return undefined;
      this.#failure = error as Error;
      return this.#failure;
    } finally {
      this.#room?.resolve();
    }
  }

  /** The next connection, which begins with what may have been lost. Throws when Deepgram will not have it any more. */
  async #reconnect(broken: Connection, { code, reason }: SocketClose): Promise<Connection> {
    const { clock, log, metrics } = this.#options;
    const lostAtMs = clock.now();
    this.#reconnectPolicy.lost(broken.openedAtMs);
    const sentBytes = this.#replayBuffer.sent;
    const keptFrom = this.#keepFrom(broken);
    this.#replayBuffer.forget(keptFrom);
    const offsetMs = momentOf(this.#replayBuffer.rewind(keptFrom));
    const replayedMs = momentOf(sentBytes) - offsetMs;
    let cause: Error = new DeepgramLost(code, reason, broken.requestId);
    for (;;) {
      if (this.#reconnectPolicy.isOver) throw cause;
      const delayMs = this.#reconnectPolicy.nextDelayMs();
      log.warn(
        { event: 'deepgram.lost', code, closeReason: reason, delayMs, ...errorFields(cause) },
        'connects to Deepgram again',
      );
      await sleep(delayMs, undefined, { signal: this.#abandoned.signal });
      try {
        const signal = AbortSignal.any([this.#abandoned.signal, AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS)]);
        const connection = await this.#connect(signal);
        this.#replayedBytes += sentBytes - connection.startsAt;
        metrics.replayedBytes += sentBytes - connection.startsAt;
        metrics.reconnected(code);
        const fields = { requestId: connection.requestId, offsetMs, replayedMs, gapMs: clock.now() - lostAtMs };
        log.info({ event: 'deepgram.reconnected', ...fields }, 'Deepgram listens again');
        return connection;
      } catch (error) {
        if (error instanceof DeepgramRefused && !error.retryable) throw error;
        cause = error as Error;
      }
    }
  }

  /**
   * From where on audio may have to be sent again, at a whole ms; never before what it once was, nor before where the
   * session went on after a crash: what was safe stays safe, however little the connection at hand has been sent.
   */
  #keepFrom(connection: Connection): number {
    const { replayMs, bufferBytes } = this.#options;
    const { sent } = this.#replayBuffer;
    const position = this.#finals
      ? // Results that never come must not keep more than half of what may be kept.
        Math.max(Math.min(this.#finals.reachTo, connection.readTo), sent - bufferBytes / 2)
      : Math.min(connection.readTo, sent - replayMs * BYTES_PER_MS);
    return Math.max(this.#replayBuffer.heldFrom, positionOf(momentOf(position)));
  }

  #sent(arrivedAtMs: Millis | undefined, sentAtMs: Millis): void {
    const isNew = this.#replayBuffer.sent > this.#sentTo;
    if (!isNew) return;
    this.#options.metrics.audioOutBytes += this.#replayBuffer.sent - this.#sentTo;
    this.#sentTo = this.#replayBuffer.sent;
    if (arrivedAtMs === undefined) return;
    this.#lagMs = sentAtMs - arrivedAtMs;
    this.#options.metrics.lagMs.observe(this.#lagMs);
    this.#worstLagMs = Math.max(this.#worstLagMs, this.#lagMs);
  }

  /** Lets go of what is no longer needed, and goes on with what waited for that. */
  #settle(): void {
    const connection = this.#connection;
    if (!connection) return;
    this.#replayBuffer.forget(this.#keepFrom(connection));
    if (this.#replayBuffer.heldBytes <= this.#options.bufferBytes) {
      this.#room?.resolve();
      this.#room = undefined;
    }
    const allIsSent = this.#replayBuffer.sent === this.#replayBuffer.end;
    if (this.#finishing && allIsSent && !connection.closeStreamSent) this.#closeStream(connection);
  }

  #closeStream(connection: Connection): void {
    connection.closeStream();
    this.#finishTimeout = setTimeout(() => {
      this.#options.log.warn(
        { event: 'deepgram.unfinished', requestId: connection.requestId },
        'Deepgram did not close the stream: its last words may lack',
      );
      this.#timedOut = true;
      connection.terminate();
    }, FINISH_TIMEOUT_MS);
  }
}
