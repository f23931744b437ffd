import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import type { DeepgramParams } from '../../daemon/contract/deepgram-params.ts';
import type { DeepgramSocket, SocketClose, SocketEvents, SocketOpener } from '../../daemon/deepgram/socket.ts';
import type { Clock, Millis } from '../../daemon/runtime/clock.ts';
import type { TcpQueue } from '../../daemon/runtime/tcp-queues.ts';
import { pcmOf } from '../support/audio-runs.ts';

/** What Deepgram does by itself; a test may change it at any time. */
interface Behavior {
  /** Pings are answered a round trip after the network took them. */
  answersPings: boolean;
  /** The network takes audio at once; otherwise it waits in the socket until `drain`. */
  takesAudio: boolean;
  /** How late a pong is, beyond the round trip. */
  pongMs: Millis;
  /** Whether the peer's TCP acknowledges what the network took; undefined where the kernel does not say. */
  acknowledges: boolean | undefined;
  /** CloseStream is answered by a close with 1000, a round trip later. */
  closesOnRequest: boolean;
}

const ROUND_TRIP_MS: Millis = 40;

/** One connection: records what was sent and when, and follows the test's orders. */
export class FakeSocket implements DeepgramSocket {
  readonly requestId: string;
  readonly params: DeepgramParams;
  readonly pingsAtMs: Millis[] = [];
  readonly keepAlivesAtMs: Millis[] = [];
  readonly #clock: Clock;
  readonly #behavior: Behavior;
  readonly #events: SocketEvents;
  readonly #messages: Buffer[] = [];
  /** Pings behind audio that the network has not taken. */
  readonly #waitingPings: number[] = [];
  readonly #closed = Promise.withResolvers<SocketClose>();
  closeStreamAtMs: Millis | undefined;
  bufferedBytes = 0;
  /** Bytes that the kernel has taken, and those that the peer's TCP has acknowledged. */
  #sentBytes = 0;
  #ackedBytes = 0;
  #closeCode: number | undefined;
  isOpen = true;
  isClosed = false;

  constructor(requestId: string, params: DeepgramParams, clock: Clock, behavior: Behavior, events: SocketEvents) {
    this.requestId = requestId;
    this.params = params;
    this.#clock = clock;
    this.#behavior = behavior;
    this.#events = events;
  }

  get closed(): Promise<SocketClose> {
    return this.#closed.promise;
  }

  get audio(): Buffer {
    return Buffer.concat(this.#messages);
  }

  get messageBytes(): number[] {
    return this.#messages.map(({ length }) => length);
  }

  /** Where in the call its audio begins, according to `extra`. */
  get offsetMs(): Millis {
    const extra = [this.params['extra'] ?? []].flat();
    return Number(extra.find((pair) => pair.startsWith('dgintegrator_offset_ms:'))?.split(':')[1] ?? 0);
  }

  get endMs(): Millis {
    return this.offsetMs + this.audio.length / BYTES_PER_MS;
  }

  sendAudio(frames: Int32Array): void {
    const pcm = Buffer.from(pcmOf(frames));
    this.#messages.push(pcm);
    this.#sentBytes += pcm.length;
    if (this.#behavior.takesAudio) queueMicrotask(() => this.#events.onTaken());
    else this.bufferedBytes += pcm.length;
  }

  ping(mark: number): void {
    this.pingsAtMs.push(this.#clock.now());
    this.#sentBytes++;
    if (this.#behavior.acknowledges) this.#ackedBytes = this.#sentBytes;
    if (this.bufferedBytes > 0) this.#waitingPings.push(mark);
    else this.#answer(mark);
  }

  async unacked(): Promise<TcpQueue | undefined> {
    const { acknowledges } = this.#behavior;
    if (acknowledges === undefined) return undefined;
    if (acknowledges) this.#ackedBytes = this.#sentBytes;
    const unackedBytes = this.#sentBytes - this.#ackedBytes;
    return { unackedBytes, retransmits: acknowledges ? 0 : 5 };
  }

  sendKeepAlive(): void {
    this.#sentBytes++;
    this.keepAlivesAtMs.push(this.#clock.now());
  }

  sendCloseStream(): void {
    this.closeStreamAtMs = this.#clock.now();
    this.#clock.after(ROUND_TRIP_MS, () => {
      if (this.#behavior.closesOnRequest) this.close(1000);
    });
  }

  terminate(): void {
    this.close(this.#closeCode ?? 1006);
  }

  /** Sends a close frame and leaves the TCP connection open. */
  sendClose(code: number): void {
    this.#closeCode = code;
    this.isOpen = false;
  }

  close(code: number, reason = ''): void {
    this.isOpen = false;
    this.isClosed = true;
    this.#closed.resolve({ code, reason });
  }

  /** The network takes what is in the socket. */
  drain(): void {
    this.bufferedBytes = 0;
    for (const mark of this.#waitingPings.splice(0)) this.#answer(mark);
    this.#events.onTaken();
  }

  /** Sends a final result for one channel, from the start of the connection. */
  finalize(channel: number, toMs: Millis): void {
    const times = { start: 0, duration: toMs / 1000 };
    this.#events.onMessage({ type: 'Results', channel_index: [channel, 2], is_final: true, ...times });
  }

  /** Sends any message. */
  message(message: unknown): void {
    this.#events.onMessage(message);
  }

  /** Sends a pong that was not asked for. */
  pong(mark: number): void {
    this.#events.onPong(mark);
  }

  #answer(mark: number): void {
    this.#clock.after(ROUND_TRIP_MS + this.#behavior.pongMs, () => {
      if (this.#behavior.answersPings && !this.isClosed) this.#events.onPong(mark);
    });
  }
}

/** Deepgram as a link sees it, on a test's clock. */
export class FakeDeepgram {
  readonly #clock: Clock;
  /** Opened connections, in order. */
  readonly sockets: FakeSocket[] = [];
  readonly handshakesAtMs: Millis[] = [];
  /** Outcomes of the next handshakes, in order; later ones succeed. */
  readonly handshakes: (Error | 'hang')[] = [];
  /** Handshakes that hang and are not aborted. */
  pendingHandshakes = 0;
  readonly behavior: Behavior = {
    answersPings: true,
    takesAudio: true,
    pongMs: 0,
    acknowledges: true,
    closesOnRequest: true,
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly open: SocketOpener = async (params, events, signal) => {
    this.handshakesAtMs.push(this.#clock.now());
    const handshake = this.handshakes.shift();
    if (handshake === 'hang') {
      this.pendingHandshakes++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      this.pendingHandshakes--;
    }
    signal.throwIfAborted();
    if (handshake instanceof Error) throw handshake;
    const requestId = `request-${this.sockets.length + 1}`;
    const socket = new FakeSocket(requestId, params, this.#clock, this.behavior, events);
    this.sockets.push(socket);
    return socket;
  };

  /** The connection opened last. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no connection was opened');
    return socket;
  }
}
