import type { DeepgramParams } from '../contract/deepgram-params.ts';
import type { Millis } from '../runtime/clock.ts';
import { Timer, type TimerWheel } from '../runtime/timer-wheel.ts';
import { Backlog, FASTEST_RATE } from './backlog.ts';
import type { CallPace } from './call-pace.ts';
import { Heartbeat } from './heartbeat.ts';
import type { LinkStatistics } from './link-statistics.ts';
import { momentOf, positionOf, type ReplayBuffer, wholeFrames } from './replay-buffer.ts';
import { MESSAGE_MS } from './replay-window.ts';
import { errorText, isMetadata, resultEnd } from './results.ts';
import type { DeepgramSocket, SocketClose, SocketOpener } from './socket.ts';

/** 2 s of audio that the socket has not sent: more would only age there. */
const HIGH_WATER_BYTES = 64 * 1024;
const MESSAGE_BYTES = positionOf(MESSAGE_MS);
const CHECK_EVERY_MS: Millis = 500;
/** RFC 6455, 7.1.5: no close frame came. */
const ABNORMAL_CLOSURE = 1006;
/** The wait for the last results allows for this rate: Deepgram may be slower than usual. */
const SLOWEST_RATE = 1;

interface ConnectionOptions {
  readonly replayBuffer: ReplayBuffer;
  readonly timers: TimerWheel;
  readonly statistics: LinkStatistics;
  /** No message is sent once this much audio has not arrived. */
  readonly windowBytes: number;
  /** True if a silent connection may be replaced although TCP does not say whether it is dead. */
  readonly mayReplace: (nowMs: Millis) => boolean;
  /** Takes each message from Deepgram, and the position of the call that is its connection's time 0. */
  readonly onMessage: (message: unknown, startsAt: number) => void;
  /** Called after audio was sent or confirmed. */
  readonly onProgress: () => void;
  readonly pace: Pick<CallPace, 'isRecording'>;
}

/** One WebSocket of a link: sends the replay buffer's audio, keeps the line alive, and closes it when it is dead. */
export class Connection {
  /** The position of the call where its audio, and Deepgram's time 0, begins. */
  readonly startsAt: number;
  readonly openedAtMs: Millis;
  readonly #socket: DeepgramSocket;
  readonly #options: ConnectionOptions;
  readonly #heartbeat: Heartbeat;
  readonly #checkTimer = new Timer(() => this.#check());
  readonly #backlog: Backlog;
  readonly #slowestBacklog: Backlog;
  #isAskingTcp = false;
  #isClosed = false;
  #closeStreamSent = false;
  #isFinished = false;
  #errorText: string | undefined;
  #processedTo: number;
  /** How far the call can have been processed when the peer last showed life, and when that was. */
  #reachableTo: number;
  #workedUntilMs: Millis;
  #releasedTo: number;
  #progressAtMs: Millis = -Infinity;

  /** Opens a connection that sends the replay buffer from its position on. Throws as `openSocket` does. */
  static async open(
    openSocket: SocketOpener,
    params: DeepgramParams,
    signal: AbortSignal,
    options: ConnectionOptions,
  ): Promise<Connection> {
    const startsAt = options.replayBuffer.sent;
    let connection: Connection | undefined;
    const events = {
      onMessage: (message: unknown) => {
        options.onMessage(message, startsAt);
        connection?.received(message);
      },
      onPong: (position: number) => connection?.ponged(position),
      onTaken: () => connection?.taken(),
    };
    try {
      connection = new Connection(await openSocket(params, events, signal), startsAt, options);
      return connection;
    } catch (error) {
      options.statistics.handshakeFailed(error);
      throw error;
    }
  }

  private constructor(socket: DeepgramSocket, startsAt: number, options: ConnectionOptions) {
    const { timers } = options;
    this.#socket = socket;
    this.#options = options;
    this.startsAt = startsAt;
    this.openedAtMs = timers.now();
    this.#heartbeat = new Heartbeat(startsAt, this.openedAtMs);
    this.#backlog = new Backlog(FASTEST_RATE, this.openedAtMs);
    this.#slowestBacklog = new Backlog(SLOWEST_RATE, this.openedAtMs);
    this.#processedTo = startsAt;
    this.#reachableTo = startsAt;
    this.#workedUntilMs = this.openedAtMs;
    this.#releasedTo = startsAt;
    timers.set(this.#checkTimer, this.openedAtMs + CHECK_EVERY_MS);
    void socket.closed.then(({ code }) => {
      // A close frame is a sign of life, too.
      if (code !== ABNORMAL_CLOSURE) this.#heartbeat.signOfLife(timers.now());
      this.#isClosed = true;
      timers.cancel(this.#checkTimer);
    });
  }

  get requestId(): string | undefined {
    return this.#socket.requestId;
  }

  get closed(): Promise<SocketClose> {
    return this.#socket.closed;
  }

  /** False once Deepgram has closed the connection, which `closed` may tell a little later. */
  get isOpen(): boolean {
    return !this.#isClosed && this.#socket.isOpen;
  }

  /** What comes before need not be sent again for not having arrived. */
  get readTo(): number {
    const readTo = this.#heartbeat.readTo(this.#options.replayBuffer.sent);
    this.#releasedTo = Math.max(this.#releasedTo, readTo);
    return readTo;
  }

  /** The furthest that `readTo` was: a late first pong takes some of TCP's word back, but not what was released on it. */
  get releasedTo(): number {
    return Math.max(this.readTo, this.#releasedTo);
  }

  /** The last part of the sent audio, which Deepgram cannot have processed yet. */
  get unprocessedBytes(): number {
    this.#noteWork();
    return this.#options.replayBuffer.sent - Math.max(this.#reachableTo, this.#processedTo);
  }

  /** Deepgram's last message has come. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** The text of Deepgram's last Error message. */
  get errorText(): string | undefined {
    return this.#errorText;
  }

  /** When a result last reached further into the call; -Infinity without results. */
  get progressAtMs(): Millis {
    return this.#progressAtMs;
  }

  /** Deepgram used to answer and has stopped. */
  get hasFallenSilent(): boolean {
    return this.#heartbeat.hasFallenSilent(this.#options.timers.now());
  }

  /** How far Deepgram has heard the call if it only keeps up with real time. */
  get heardTo(): number {
    const { replayBuffer, timers } = this.#options;
    return replayBuffer.sent - positionOf(this.backlogMs(timers.now()));
  }

  /** Call time that Deepgram may not have processed yet, although it keeps up with real time. */
  backlogMs(nowMs: Millis): Millis {
    return this.#slowestBacklog.at(nowMs);
  }

  /** Sends as much audio as the socket and the window take now. */
  pump(): void {
    const { replayBuffer, timers, statistics, windowBytes, onProgress } = this.#options;
    // What a closed connection took would be lost.
    if (!this.isOpen || replayBuffer.sent === replayBuffer.end) return;
    const nowMs = timers.now();
    const buffered = this.#socket.bufferedBytes;
    let bytes = 0;
    while (buffered + bytes < HIGH_WATER_BYTES && replayBuffer.sent - this.#heartbeat.arrivedTo < windowBytes) {
      const frames = replayBuffer.take(messageBytes(replayBuffer.end - replayBuffer.sent));
      if (!frames) break;
      bytes += frames.byteLength;
      this.#socket.sendAudio(frames);
      if (this.#heartbeat.isPingDue(replayBuffer.sent, nowMs)) this.#ping(nowMs);
    }
    if (bytes === 0) return;
    this.#heartbeat.sent(nowMs);
    this.#backlog.sent(momentOf(bytes), nowMs);
    this.#slowestBacklog.sent(momentOf(bytes), nowMs);
    statistics.sent(bytes, replayBuffer.sent);
    onProgress();
  }

  /** Sends CloseStream: there is no more audio. */
  closeStream(): void {
    this.#closeStreamSent = true;
    this.#socket.sendCloseStream();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** The kernel has taken a write. What the connection has buffered is still in our hands, frames' headers included. */
  taken(): void {
    const { replayBuffer, timers, statistics } = this.#options;
    statistics.lag.handedOver(momentOf(replayBuffer.sent - this.#socket.bufferedBytes), timers.now());
    this.pump();
  }

  /** A message came. */
  received(message: unknown): void {
    const { replayBuffer, timers } = this.#options;
    const nowMs = timers.now();
    this.#heartbeat.signOfLife(nowMs);
    this.#noteWork();
    this.#isFinished ||= this.#closeStreamSent && isMetadata(message);
    this.#errorText = errorText(message) ?? this.#errorText;
    const end = resultEnd(message, this.startsAt, replayBuffer.sent);
    if (end === undefined || end <= this.#processedTo) return;
    this.#processedTo = end;
    this.#progressAtMs = nowMs;
    this.#heartbeat.transcribed(end);
    this.#arrived();
  }

  /** A pong came, with the position of the ping that it answers, or NaN. */
  ponged(position: number): void {
    this.#heartbeat.ponged(position, this.#options.timers.now());
    this.#arrived();
  }

  /** A peer that has shown life again can have worked until then. */
  #noteWork(): void {
    const { replayBuffer, timers, pace } = this.#options;
    const nowMs = timers.now();
    const workedUntilMs = this.#heartbeat.workedUntilMs(nowMs);
    if (workedUntilMs <= this.#workedUntilMs) return;
    this.#workedUntilMs = workedUntilMs;
    const backlogMs = pace.isRecording ? 0 : this.#backlog.at(nowMs);
    this.#reachableTo = Math.max(this.#reachableTo, replayBuffer.sent - positionOf(backlogMs));
  }

  #arrived(): void {
    this.#noteWork();
    this.pump();
    this.#options.onProgress();
  }

  #ping(nowMs: Millis): void {
    const { sent } = this.#options.replayBuffer;
    this.#heartbeat.pinged(sent, nowMs);
    this.#socket.ping(sent);
  }

  #check(): void {
    const { replayBuffer, timers, statistics } = this.#options;
    const nowMs = timers.now();
    timers.set(this.#checkTimer, nowMs + CHECK_EVERY_MS);
    // A peer that leaves the TCP connection open after its close frame is not waited for.
    if (!this.isOpen) {
      this.#socket.terminate();
      return;
    }
    if (this.#heartbeat.isDead(nowMs) && (this.#heartbeat.isTcpKnown || this.#options.mayReplace(nowMs))) {
      this.#socket.terminate();
      return;
    }
    if (this.#heartbeat.isPongOverdue(nowMs)) void this.#askTcp();
    if (this.#heartbeat.isKeepAliveDue(nowMs) && !this.#closeStreamSent) {
      this.#heartbeat.sent(nowMs);
      this.#socket.sendKeepAlive();
      statistics.keptAlive();
    }
    if (this.#heartbeat.isPingDue(replayBuffer.sent, nowMs)) this.#ping(nowMs);
  }

  async #askTcp(): Promise<void> {
    if (this.#isAskingTcp) return;
    this.#isAskingTcp = true;
    const query = this.#heartbeat.queried(this.#options.replayBuffer.sent, this.#socket.bufferedBytes);
    const queue = await this.#socket.unacked();
    this.#isAskingTcp = false;
    this.#heartbeat.acknowledged(query, queue, this.#options.timers.now());
    this.#arrived();
  }
}

/** What is unsent goes in messages of equal length: a rest of a few ms would cost as much as a long one. */
function messageBytes(unsentBytes: number): number {
  const messages = Math.max(1, Math.ceil(unsentBytes / MESSAGE_BYTES));
  return wholeFrames(unsentBytes / messages);
}
