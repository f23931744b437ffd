import type { Clock, Millis } from '../clock.ts';
import type { Log } from '../observe/log.ts';
import { DeepgramLost } from './errors.ts';
import type { DeepgramParams } from './params.ts';
import { type DeepgramSettings, type DeepgramSocket, openSocket, type SocketClose } from './socket.ts';

/** deepgram.md: 10 s without audio or KeepAlive closes the stream, one every 3-5 s is asked for. */
const KEEP_ALIVE_AFTER_MS: Millis = 4000;
/** How often silence is looked for; a KeepAlive is late by this at most. */
const SILENCE_CHECK_MS: Millis = 500;
/** Audio handed over but not yet sent, 2 s of it: past this the stream is read no further. */
const HIGH_WATER_BYTES = 64 * 1024;
/** Deepgram answers CloseStream with the last results within a second or two; more means that it will not. */
const FINISH_TIMEOUT_MS: Millis = 10_000;

export interface LinkOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly onMessage: (message: unknown) => void;
}

/** A session's line to Deepgram. */
export class Link {
  readonly #socket: DeepgramSocket;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #keepAlive: NodeJS.Timeout;
  #sentAtMs: Millis;
  #finishing = false;
  #lost: DeepgramLost | undefined;

  /** Opens the line; throws DeepgramRefused, DeepgramUnreachable, or the signal's reason. */
  static async open(
    settings: DeepgramSettings,
    params: DeepgramParams,
    signal: AbortSignal,
    options: LinkOptions,
  ): Promise<Link> {
    const socket = await openSocket(settings, params, { signal, onMessage: options.onMessage });
    return new Link(socket, options);
  }

  private constructor(socket: DeepgramSocket, { clock, log }: LinkOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#log = log;
    this.#sentAtMs = clock.now();
    this.#keepAlive = setInterval(() => this.#breakSilence(), SILENCE_CHECK_MS);
    void socket.closed.then((close) => this.#closed(close));
  }

  /** Deepgram's id of this stream: what its support asks for. */
  get requestId(): string | undefined {
    return this.#socket.requestId;
  }

  /** Resolves when the line is over; `lost` then tells whether it ended before its time. */
  get closed(): Promise<SocketClose> {
    return this.#socket.closed;
  }

  get lost(): DeepgramLost | undefined {
    return this.#lost;
  }

  /**
   * Hands over 2-channel PCM. Gives a promise when more is under way than should be: no more is to be sent until it
   * resolves. Throws DeepgramLost when the line has ended.
   */
  send(pcm: Uint8Array): Promise<void> | undefined {
    if (this.#lost) throw this.#lost;
    this.#sentAtMs = this.#clock.now();
    this.#socket.sendAudio(pcm);
    return this.#socket.bufferedBytes > HIGH_WATER_BYTES ? this.#socket.drained() : undefined;
  }

  /** Tells Deepgram that the call is over and waits for its last results. Throws DeepgramLost when it ends otherwise. */
  async finish(): Promise<void> {
    if (this.#lost) throw this.#lost;
    this.#finishing = true;
    clearInterval(this.#keepAlive);
    this.#socket.sendCloseStream();
    const timeout = setTimeout(() => {
      this.#log.warn(
        { event: 'deepgram.unfinished', waitedMs: FINISH_TIMEOUT_MS },
        'Deepgram did not close the stream',
      );
      this.#socket.terminate();
    }, FINISH_TIMEOUT_MS);
    await this.#socket.closed;
    clearTimeout(timeout);
    if (this.#lost) throw this.#lost;
  }

  /** Ends the line now, whatever Deepgram may still have to say. */
  abandon(): void {
    this.#finishing = true;
    this.#socket.terminate();
  }

  #closed({ code, reason }: SocketClose): void {
    clearInterval(this.#keepAlive);
    this.#log.debug({ event: 'deepgram.closed', code, reason }, 'the stream to Deepgram is closed');
    if (!this.#finishing) this.#lost = new DeepgramLost(code, reason, this.requestId);
  }

  #breakSilence(): void {
    if (this.#clock.now() - this.#sentAtMs < KEEP_ALIVE_AFTER_MS) return;
    this.#sentAtMs = this.#clock.now();
    this.#socket.sendKeepAlive();
  }
}
