import type { AudioRun } from '../audio/audio-run.ts';
import type { CallBuffer } from '../audio/call-buffer.ts';
import type { LiveEdge } from '../audio/live-edge.ts';
import { type DeepgramParams, reconnectParams } from '../contract/deepgram-params.ts';
import type { Log } from '../log/log.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Cancel, Millis } from '../runtime/clock.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { CallPace } from './call-pace.ts';
import { Connection } from './connection.ts';
import { DeepgramLost } from './errors.ts';
import type { ChannelPart } from './final-audio.ts';
import { waitsUntilMs } from './final-wait.ts';
import { connectionOf, type LinkState } from './link-state.ts';
import { LinkStatistics, type LinkStats } from './link-statistics.ts';
import { Outage } from './outage.ts';
import { type GiveUp, isNormalClose, type Reconnect, ReconnectPolicy } from './reconnect-policy.ts';
import { momentOf, positionOf } from './replay-buffer.ts';
import { ReplayWindow, type ReplayWindowOptions, type ResultsRelay } from './replay-window.ts';
import { ResultsWatch } from './results-watch.ts';
import type { SocketClose, SocketOpener } from './socket.ts';
import { Unfinished } from './unfinished.ts';

/** Audio that is read again may end a little earlier: the end of a call is filled up to what both tracks have. */
const END_MAY_DIFFER_MS: Millis = 1000;
/** A silent connection is replaced at most this often while the kernel does not say whether its peer is dead. */
const REPLACE_EVERY_MS: Millis = 60_000;

export interface LinkOptions extends ReplayWindowOptions {
  readonly timers: TimerWheel;
  readonly log: Log;
  readonly metrics: SessionMetrics;
  /** In [0, 1), for the jitter of reconnects. */
  readonly random: () => number;
  /** How long Deepgram may stay away before the session fails (DEEPGRAM_GIVE_UP_MS). */
  readonly giveUpMs: Millis;
  /** Where in the call the audio begins, and the connections so far: not 0 when the session resumes after a crash. */
  readonly callMs: Millis;
  readonly connections: number;
  /** When call time 0 was, on the clock of `timers`; undefined if the start did not say. */
  readonly startedAtMs?: Millis | undefined;
  /**
   * Takes each message from Deepgram, where in the call its connection's time 0 is, the connection's number from 1, and
   * how far the call was sent on it: a result cannot reach further.
   */
  readonly onMessage: (message: unknown, offsetMs: Millis, connection: number, sentMs: Millis) => void;
}

/**
 * A session's line to Deepgram, across as many connections as it takes. Audio is kept until it need not be sent again,
 * and each connection after the first begins early enough that nothing is lost (daemon/README.md, decision 6).
 */
export class Link {
  readonly #openSocket: SocketOpener;
  readonly #params: DeepgramParams;
  readonly #options: LinkOptions;
  readonly #window: ReplayWindow;
  readonly #pace: CallPace;
  readonly #policy: ReconnectPolicy;
  readonly #statistics: LinkStatistics;
  readonly #ended = Promise.withResolvers<Error | undefined>();
  #state: LinkState = { name: 'opening' };
  /** Cancels the timer of the current state. */
  #cancelTimer: Cancel = () => {};
  readonly #resultsWatch: ResultsWatch;
  #replacedAtMs: Millis = -Infinity;
  #closeStreamAtMs: Millis | undefined;
  readonly #unfinished: Unfinished;
  /** How far connections that were lost after CloseStream can have processed the call: others repeat some of it. */
  #reachedTo = 0;
  #cancelDeadline: Cancel = () => {};
  /** No more audio will be handed over. */
  #isComplete = false;
  #goBack: (() => Millis | undefined) | undefined;
  #finished: Promise<void> | undefined;

  /** Opens the line; throws DeepgramRefused, DeepgramUnreachable, or the signal's reason. */
  static async open(
    openSocket: SocketOpener,
    params: DeepgramParams,
    signal: AbortSignal,
    options: LinkOptions,
  ): Promise<Link> {
    const link = new Link(openSocket, params, options);
    link.#enter({ name: 'open', connection: await link.#connect(signal) });
    return link;
  }

  private constructor(openSocket: SocketOpener, params: DeepgramParams, options: LinkOptions) {
    const start = positionOf(options.callMs);
    this.#openSocket = openSocket;
    this.#params = params;
    this.#options = options;
    this.#policy = new ReconnectPolicy(options.giveUpMs, options.random);
    this.#window = new ReplayWindow(start, params['callback'] === undefined, options);
    this.#pace = new CallPace(options.startedAtMs !== undefined);
    this.#statistics = new LinkStatistics(start, options.metrics, options.startedAtMs);
    this.#unfinished = new Unfinished(options.metrics);
    this.#resultsWatch = new ResultsWatch(start, options.timers.now());
  }

  /** Resolves when the line is closed: with an error if it failed. Never rejects. */
  get ended(): Promise<Error | undefined> {
    return this.#ended.promise;
  }

  /** Audio before this moment of the call need not be sent again, even after a crash. Never decreases. */
  get safeMs(): Millis {
    const position = this.#window.safeTo(connectionOf(this.#state));
    return Math.max(0, Math.floor(momentOf(position)));
  }

  /** Connections so far, including those before a crash. */
  get connections(): number {
    return this.#options.connections + this.#statistics.connections;
  }

  /**
   * Audio that was sent but that Deepgram had not processed when a connection was lost for good: its results are
   * missing.
   */
  get unfinishedMs(): Millis {
    return this.#unfinished.totalMs;
  }

  /** The results go to a relay: a reconnect repeats exactly what is not final. Call it before `send`. */
  relayResults(relay: ResultsRelay): void {
    this.#window.relayResults(relay);
  }

  /**
   * What to do when a reconnect must repeat more than is kept here: `goBack` has the call read again, from now on, and
   * returns from which moment; undefined if it cannot. Call it after `relayResults`.
   */
  repeatBy(goBack: () => Millis | undefined): void {
    this.#goBack = goBack;
    this.#window.allowReadingAgain();
  }

  /** Sent audio without a final result when the line was closed; known only where a relay takes the results. */
  get notFinal(): readonly ChannelPart[] {
    return this.#window.notFinal(this.#statistics.sentTo);
  }

  stats(): LinkStats {
    return this.#statistics.snapshot(this.#window.buffer.end, this.#options.timers.now());
  }

  /** Lag of the audio sent last or, if larger, of the audio that waits to be sent. */
  get lagMs(): Millis {
    return this.#statistics.lag.nowMs(momentOf(this.#window.buffer.end), this.#options.timers.now());
  }

  /** When the call's audio can be read at the earliest: what is sent later is lag. */
  get liveEdge(): LiveEdge {
    return this.#statistics.lag.edge;
  }

  /** Where the call's audio is written before it is sent. */
  get buffer(): CallBuffer {
    return this.#window.buffer;
  }

  /**
   * Sends the next run of the call, written to `buffer`. Returns a promise when the buffer is full: no more may be sent
   * until it resolves. Throws the error that closed the line.
   */
  send(run: AudioRun): Promise<void> | undefined {
    if (this.#state.name === 'closed' && this.#state.error) throw this.#state.error;
    const { buffer } = this.#window;
    const from = buffer.end;
    this.#window.commit(run);
    this.#pace.reached(momentOf(buffer.end), this.#options.timers.now());
    if (run.arrivedAtMs === undefined) this.#statistics.lag.silent(momentOf(from), momentOf(buffer.end));
    connectionOf(this.#state)?.pump();
    this.#statistics.buffered(buffer.heldBytes);
    const room = this.#window.whenRoom();
    if (room) this.#pace.heldBack();
    return room;
  }

  /**
   * Sends CloseStream after the last audio, and waits for the last results. Throws the error that closed the line. To be
   * called again after the call was read again.
   */
  finish(): Promise<void> {
    this.#isComplete = true;
    this.#settle();
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<void> {
    const error = await this.#ended.promise;
    this.#checkResults(true);
    this.#checkRead();
    if (error) throw error;
  }

  /** Counts audio that was to be read again and is gone. */
  #checkRead(): void {
    const { sentTo } = this.#statistics;
    if (momentOf(sentTo - this.#window.buffer.sent) <= END_MAY_DIFFER_MS) return;
    const lostMs = this.#unfinished.count(this.#unfinishedFrom(undefined), sentTo);
    if (lostMs > 0) this.#logUnfinished(lostMs, undefined, 'it could not be read again');
  }

  /** Closes the line `withinMs` from now, whatever is missing then. */
  endWithin(withinMs: Millis): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#options.timers.after(withinMs, () => this.#cutOff());
  }

  /** Closes the line now, without the last results. */
  abandon(): void {
    this.#enter({ name: 'closed' });
  }

  /** The one place where the state changes. */
  #enter(next: LinkState): void {
    const previous = this.#state;
    if (previous.name === 'closed') return;
    this.#cancelTimer();
    this.#state = next;
    switch (next.name) {
      case 'open':
        this.#statistics.opened(next.connection.requestId);
        void next.connection.closed.then((close) => this.#onClose(next.connection, close));
        next.connection.pump();
        this.#settle();
        break;
      case 'waiting':
        this.#setTimer(next.step.delayMs, () => void this.#reconnect(next.outage, next.step));
        break;
      case 'reconnecting':
        this.#setTimer(next.step.handshakeTimeoutMs, () => next.attempt.abort(handshakeTimeout()));
        break;
      case 'finishing':
        next.connection.closeStream();
        this.#closeStreamAtMs = this.#options.timers.now();
        this.#awaitLastResults(next.connection, next.backlogMs);
        break;
      case 'closed':
        if ('attempt' in previous) previous.attempt.abort();
        if ('connection' in previous) previous.connection.terminate();
        this.#cancelDeadline();
        this.#window.releaseWaiting();
        this.#statistics.lag.settle();
        this.#ended.resolve(next.error);
    }
  }

  #setTimer(ms: Millis, task: () => void): void {
    this.#cancelTimer = this.#options.timers.after(ms, task);
  }

  #connect(signal: AbortSignal): Promise<Connection> {
    const { timers, onMessage } = this.#options;
    const { buffer, unconfirmedBytes } = this.#window;
    const number = this.connections + 1;
    const params = number === 1 ? this.#params : reconnectParams(this.#params, momentOf(buffer.sent), number);
    return Connection.open(this.#openSocket, params, signal, {
      replayBuffer: buffer,
      timers,
      statistics: this.#statistics,
      windowBytes: unconfirmedBytes,
      mayReplace: (nowMs) => this.#mayReplace(nowMs),
      onMessage: (message, startsAt) => {
        this.#window.note(message, startsAt);
        onMessage(message, momentOf(startsAt), number, momentOf(buffer.sent));
      },
      onProgress: () => this.#settle(),
      pace: this.#pace,
    });
  }

  #onClose(connection: Connection, close: SocketClose): void {
    if (connectionOf(this.#state) !== connection) return;
    const { openedAtMs, requestId, releasedTo } = connection;
    const nowMs = this.#options.timers.now();
    const reason = [close.reason, connection.errorText].filter(Boolean).join('; ');
    const cause = new DeepgramLost(close.code, reason, requestId);
    const closeStreamSent = this.#state.name === 'finishing';
    const isFinished = connection.isFinished || this.#window.notFinalMs === 0;
    const processedTo = this.#unfinishedFrom(connection);
    const closed = {
      code: close.code,
      openedAtMs,
      closeStreamSent,
      closingForMs: closeStreamSent ? nowMs - (this.#closeStreamAtMs ?? nowMs) : 0,
      isFinished,
      processedToMs: momentOf(processedTo),
      unprocessedMs: momentOf(this.#window.buffer.sent - processedTo),
    };
    if (closeStreamSent) this.#reachedTo = Math.max(this.#reachedTo, processedTo);
    const step = this.#policy.afterClose(closed, cause, nowMs);
    if (step.name === 'finish') {
      this.#conclude(connection, isNormalClose(close.code), `Deepgram closed with ${close.code}`);
    } else {
      const sentTo = this.#window.buffer.sent;
      const unfinishedFrom = this.#window.lostFrom(releasedTo, processedTo);
      const outage = new Outage({ ...close, reason }, nowMs, sentTo, this.#rewind(connection));
      const lostMs = this.#unfinished.count(unfinishedFrom, outage.resumesAt);
      if (lostMs > 0) this.#logUnfinished(lostMs, connection, 'more than a reconnect can repeat');
      this.#retry(step, outage, cause);
    }
  }

  /** Goes back to what the next connection must repeat, as far as it can be repeated; returns where it begins. */
  #rewind(connection: Connection): number {
    const window = this.#window;
    const callMs = window.hasOutgrown(connection) ? this.#goBack?.() : undefined;
    if (callMs === undefined) return window.rewind(connection);
    window.restart(positionOf(callMs));
    this.#isComplete = false;
    return window.buffer.sent;
  }

  #retry(step: Reconnect | GiveUp, outage: Outage, cause: Error): void {
    if (step.name === 'give-up') {
      this.#reportUnfinished(undefined, 'Deepgram stayed away');
      this.#enter({ name: 'closed', error: step.error });
    } else {
      outage.logRetry(this.#options.log, cause, step.delayMs);
      this.#enter({ name: 'waiting', outage, step });
    }
  }

  async #reconnect(outage: Outage, step: Reconnect): Promise<void> {
    const { timers, log } = this.#options;
    const attempt = new AbortController();
    this.#enter({ name: 'reconnecting', outage, step, attempt });
    let connection: Connection;
    try {
      connection = await this.#connect(attempt.signal);
    } catch (error) {
      if (this.#state.name === 'closed') return;
      const cause = error as Error;
      this.#retry(this.#policy.afterFailedHandshake(cause, timers.now()), outage, cause);
      return;
    }
    if (this.#state.name === 'closed') {
      connection.terminate();
      return;
    }
    this.#enter({ name: 'open', connection });
    this.#statistics.reconnected(outage.close.code, outage.replayedBytes);
    outage.logEnd(log, connection.requestId, timers.now());
  }

  /** Waits for Deepgram to close the line, as long as the backlog needs or results make progress. */
  #awaitLastResults(connection: Connection, backlogMs: Millis): void {
    const { timers } = this.#options;
    const closeStreamAtMs = this.#closeStreamAtMs ?? timers.now();
    const untilMs = waitsUntilMs({ closeStreamAtMs, backlogMs, progressAtMs: connection.progressAtMs });
    const leftMs = untilMs - timers.now();
    if (leftMs > 0) this.#setTimer(leftMs, () => this.#awaitLastResults(connection, backlogMs));
    // Another connection can still get the results.
    else if (connection.hasFallenSilent) connection.terminate();
    else this.#cutOff();
  }

  /** Closes the line that Deepgram does not close; usually results are missing. */
  #cutOff(): void {
    this.#conclude(connectionOf(this.#state), false, 'out of time');
  }

  /** Closes the line for good, and counts what has no result. Where no results come back, a normal close has to do. */
  #conclude(connection: Connection | undefined, isNormal: boolean, why: string): void {
    const { notFinalMs } = this.#window;
    const lacksResults = notFinalMs === undefined ? !isNormal : notFinalMs > 0;
    if (connection?.isFinished) this.#window.conclude();
    else if (lacksResults || this.#state.name !== 'finishing') this.#reportUnfinished(connection, why);
    this.#enter({ name: 'closed' });
  }

  /** Counts audio that was sent but not processed, at the end of the line. */
  #reportUnfinished(connection: Connection | undefined, why: string): void {
    const unfinishedMs = this.#unfinished.count(this.#unfinishedFrom(connection), this.#statistics.sentTo);
    this.#logUnfinished(unfinishedMs, connection, why);
  }

  /**
   * Start of the unprocessed audio: by the results if there are any, else by arithmetic; without a line, by what it
   * would repeat.
   */
  #unfinishedFrom(connection: Connection | undefined): number {
    const { buffer, finalTo } = this.#window;
    if (finalTo !== undefined) return finalTo;
    return Math.max(this.#reachedTo, buffer.sent - (connection?.unprocessedBytes ?? 0));
  }

  #logUnfinished(unfinishedMs: Millis, connection: Connection | undefined, why: string): void {
    this.#options.log.warn(
      { event: 'deepgram.unfinished', requestId: connection?.requestId, unfinishedMs, why },
      'Deepgram did not finish the audio that it was sent: results may be missing',
    );
  }

  #mayReplace(nowMs: Millis): boolean {
    if (nowMs - this.#replacedAtMs < REPLACE_EVERY_MS) return false;
    this.#replacedAtMs = nowMs;
    return true;
  }

  /** Reports a stream without results, where results are expected. */
  #checkResults(isAtEnd: boolean): void {
    const { resultsCount, buffer } = this.#window;
    if (resultsCount === undefined) return;
    const { timers, log } = this.#options;
    const isSilent = isAtEnd
      ? this.#resultsWatch.isSilentAtEnd(resultsCount, buffer.sent)
      : this.#resultsWatch.isSilent(resultsCount, buffer.sent, timers.now());
    if (!isSilent) return;
    const { requestIds, audioMs } = this.stats();
    const fields = { requestId: requestIds.at(-1), audioMs, results: resultsCount };
    this.#options.metrics.withoutResults++;
    log.warn({ event: 'deepgram.no-results', ...fields }, 'Deepgram gives no results');
  }

  /** Forgets what need not be kept, and sends CloseStream after the last audio. */
  #settle(): void {
    const connection = connectionOf(this.#state);
    if (!connection) return;
    this.#window.advance(connection, this.#options.timers.now());
    this.#checkResults(false);
    const { sent, end } = this.#window.buffer;
    if (this.#state.name !== 'open' || !connection.isOpen || !this.#isComplete || sent < end) return;
    const backlogMs = connection.backlogMs(this.#options.timers.now());
    this.#enter({ name: 'finishing', connection, backlogMs });
  }
}

function handshakeTimeout(): DOMException {
  return new DOMException('Deepgram did not answer the handshake in time', 'TimeoutError');
}
