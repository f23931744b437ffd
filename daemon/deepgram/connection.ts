import { BYTES_PER_MS } from '../contract/audio-format.ts';
import type { DeepgramParams } from '../contract/deepgram-params.ts';
import type { SessionMetrics } from '../metrics/session-metrics.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { Timer, type TimerWheel } from '../runtime/timer-wheel.ts';
import type { ReplayBuffer } from './replay-buffer.ts';
import { type DeepgramSettings, type DeepgramSocket, openSocket, type SocketClose } from './socket.ts';

/** daemon/deepgram/README.md: 10 s without audio or KeepAlive closes the stream, one every 3-5 s is asked for. */
const KEEP_ALIVE_AFTER_MS: Millis = 4000;
/** Audio handed to the socket and not taken by the network, 2 s of it: more would only grow old there. */
const HIGH_WATER_BYTES = 64 * 1024;
/** After so much audio a ping goes with it: its pong says that Deepgram has read up to there. */
const PING_EVERY_BYTES = 1000 * BYTES_PER_MS;
/** Without audio a ping goes after this long, so that a dead line is noticed in silence too. */
const PING_AFTER_MS: Millis = 2000;
/** With the two above and the look below, a half-open connection is noticed within 10 s. */
const PONG_TIMEOUT_MS: Millis = 6000;
const LOOK_EVERY_MS: Millis = 500;

export interface ConnectionOptions {
  readonly replayBuffer: ReplayBuffer;
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly metrics: SessionMetrics;
  /** Audio goes in messages no longer than this. */
  readonly messageBytes: number;
  /** The most that may be under way without a sign that Deepgram has read it. */
  readonly windowBytes: number;
  readonly onMessage: (message: unknown) => void;
  /** Something was sent for the first time, or is known to have been read. */
  readonly onProgress: () => void;
  /** A run was handed over to the socket, which had arrived at that time. */
  readonly onSent: (arrivedAtMs: Millis | undefined, sentAtMs: Millis) => void;
}

/** One WebSocket of a link: sends what the replayBuffer holds, keeps the line alive, and notices when it is dead. */
export class Connection {
  /** Where in the call its audio, and Deepgram's time 0, begins. */
  readonly startsAt: number;
  readonly openedAtMs: Millis;
  readonly #socket: DeepgramSocket;
  readonly #options: ConnectionOptions;
  readonly #pings: { readonly position: number; readonly sentAtMs: Millis }[] = [];
  #pingedAt: number;
  #pingedAtMs: Millis;
  #sentAtMs: Millis;
  #readTo: number;
  readonly #look = new Timer(() => this.#lookAfter());
  #closeStreamSent = false;

  /** Opens it, to send the replayBuffer from where that stands. Throws as `openSocket` does. */
  static async open(
    settings: DeepgramSettings,
    params: DeepgramParams,
    signal: AbortSignal,
    options: ConnectionOptions,
  ): Promise<Connection> {
    let connection: Connection | undefined;
    const events = {
      onMessage: options.onMessage,
      onPong: (position: number) => connection?.readUpTo(position),
      onTaken: () => connection?.pump(),
    };
    connection = new Connection(await openSocket(settings, params, events, signal), options);
    return connection;
  }

  private constructor(socket: DeepgramSocket, options: ConnectionOptions) {
    const { replayBuffer, clock, timers } = options;
    this.#socket = socket;
    this.#options = options;
    this.startsAt = replayBuffer.sent;
    this.#readTo = replayBuffer.sent;
    this.#pingedAt = replayBuffer.sent;
    this.openedAtMs = clock.now();
    this.#sentAtMs = this.openedAtMs;
    this.#pingedAtMs = this.openedAtMs;
    timers.set(this.#look, this.openedAtMs + LOOK_EVERY_MS);
    void socket.closed.then(() => timers.cancel(this.#look));
  }

  get requestId(): string | undefined {
    return this.#socket.requestId;
  }

  get closed(): Promise<SocketClose> {
    return this.#socket.closed;
  }

  /** Up to where in the call Deepgram is known to have read. */
  get readTo(): number {
    return this.#readTo;
  }

  get closeStreamSent(): boolean {
    return this.#closeStreamSent;
  }

  /** Sends as much of the replayBuffer as the line takes now. */
  pump(): void {
    const { replayBuffer, clock, metrics, messageBytes, windowBytes, onSent, onProgress } = this.#options;
    let progressed = false;
    while (this.#socket.bufferedBytes < HIGH_WATER_BYTES && replayBuffer.sent - this.#readTo < windowBytes) {
      const run = replayBuffer.take(messageBytes);
      if (!run) break;
      progressed = true;
      this.#socket.sendAudio(run.pcm);
      metrics.deepgramBytes += run.pcm.length;
      this.#sentAtMs = clock.now();
      onSent(run.arrivedAtMs, this.#sentAtMs);
      if (replayBuffer.sent - this.#pingedAt >= PING_EVERY_BYTES) this.#ping();
    }
    if (progressed) onProgress();
  }

  /** Tells Deepgram that all has been sent. */
  closeStream(): void {
    this.#closeStreamSent = true;
    this.#socket.sendCloseStream();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  readUpTo(position: number): void {
    while ((this.#pings[0]?.position ?? Infinity) <= position) this.#pings.shift();
    this.#readTo = Math.max(this.#readTo, position);
    this.pump();
    this.#options.onProgress();
  }

  #ping(): void {
    const position = this.#options.replayBuffer.sent;
    this.#pingedAt = position;
    this.#pingedAtMs = this.#options.clock.now();
    this.#pings.push({ position, sentAtMs: this.#pingedAtMs });
    this.#socket.ping(position);
  }

  /** Is the line alive, and does it want a sign of life from us? */
  #lookAfter(): void {
    const { clock, timers } = this.#options;
    const nowMs = clock.now();
    timers.set(this.#look, nowMs + LOOK_EVERY_MS);
    if (nowMs - (this.#pings[0]?.sentAtMs ?? nowMs) > PONG_TIMEOUT_MS) {
      this.#socket.terminate();
      return;
    }
    if (nowMs - this.#sentAtMs >= KEEP_ALIVE_AFTER_MS && !this.#closeStreamSent) {
      this.#sentAtMs = nowMs;
      this.#socket.sendKeepAlive();
      this.#options.metrics.keepAlives++;
    }
    if (nowMs - this.#pingedAtMs >= PING_AFTER_MS) this.#ping();
  }
}
