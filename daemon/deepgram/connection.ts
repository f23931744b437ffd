import type { DeepgramParams } from '../contract/deepgram-params.ts';
import type { Millis } from '../runtime/clock.ts';
import { Timer, type TimerWheel } from '../runtime/timer-wheel.ts';
import { Heartbeat } from './heartbeat.ts';
import type { LinkStatistics } from './link-statistics.ts';
import type { ReplayBuffer } from './replay-buffer.ts';
import type { DeepgramSocket, SocketClose, SocketOpener } from './socket.ts';

/** 2 s of audio that the socket has not sent: more would only age there. */
const HIGH_WATER_BYTES = 64 * 1024;
const CHECK_EVERY_MS: Millis = 500;

export interface ConnectionOptions {
  readonly replayBuffer: ReplayBuffer;
  readonly timers: TimerWheel;
  readonly statistics: LinkStatistics;
  /** The longest message of audio. */
  readonly messageBytes: number;
  /** No message is sent once this much audio waits for confirmation. */
  readonly windowBytes: number;
  /** Takes each message from Deepgram, and the position of the call that is its connection's time 0. */
  readonly onMessage: (message: unknown, startsAt: number) => void;
  /** Called after audio was sent or confirmed. */
  readonly onProgress: () => void;
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
  #closeStreamSent = false;

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
      onMessage: (message: unknown) => options.onMessage(message, startsAt),
      onPong: (position: number) => connection?.confirm(position),
      onTaken: () => connection?.pump(),
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
    timers.set(this.#checkTimer, this.openedAtMs + CHECK_EVERY_MS);
    void socket.closed.then(() => timers.cancel(this.#checkTimer));
  }

  get requestId(): string | undefined {
    return this.#socket.requestId;
  }

  get closed(): Promise<SocketClose> {
    return this.#socket.closed;
  }

  /** Deepgram has read the call up to here. */
  get confirmedTo(): number {
    return this.#heartbeat.confirmedTo;
  }

  /** Sends as much audio as the socket and the window take now. */
  pump(): void {
    const { replayBuffer, timers, statistics, messageBytes, windowBytes, onProgress } = this.#options;
    const heartbeat = this.#heartbeat;
    let progressed = false;
    while (this.#socket.bufferedBytes < HIGH_WATER_BYTES && replayBuffer.sent - heartbeat.confirmedTo < windowBytes) {
      const run = replayBuffer.take(messageBytes);
      if (!run) break;
      progressed = true;
      this.#socket.sendAudio(run.pcm);
      const nowMs = timers.now();
      heartbeat.sent(nowMs);
      statistics.sent(run, replayBuffer.sent, nowMs);
      if (heartbeat.isPingDue(replayBuffer.sent, nowMs)) this.#ping(nowMs);
    }
    if (progressed) onProgress();
  }

  /** Tells Deepgram that there is no more audio. */
  closeStream(): void {
    this.#closeStreamSent = true;
    this.#socket.sendCloseStream();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Deepgram has read the call up to `position`. */
  confirm(position: number): void {
    this.#heartbeat.ponged(position);
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
    if (this.#heartbeat.isDead(nowMs)) {
      this.#socket.terminate();
      return;
    }
    if (this.#heartbeat.isKeepAliveDue(nowMs) && !this.#closeStreamSent) {
      this.#heartbeat.sent(nowMs);
      this.#socket.sendKeepAlive();
      statistics.keptAlive();
    }
    if (this.#heartbeat.isPingDue(replayBuffer.sent, nowMs)) this.#ping(nowMs);
  }
}
