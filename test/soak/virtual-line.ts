import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import type { DeepgramSocket, SocketClose, SocketEvents } from '../../daemon/deepgram/socket.ts';
import type { Clock, Millis } from '../../daemon/runtime/clock.ts';
import type { TcpQueue } from '../../daemon/runtime/tcp-queues.ts';
import { LONGEST_SILENCE_MS, type Mood } from './moods.ts';

/** daemon/deepgram/README.md, "What real lines do": no faster than this times real time. */
const RATE = 1.25;
/** What a server with paced reads takes ahead. */
const PACED_BYTES = 250 * BYTES_PER_MS;
/** What the peer's TCP acknowledges without its program reading, and what our kernel takes beyond that. */
const RECEIVE_BYTES = 1024 * 1024;
const SEND_BYTES = 128 * 1024;
const ONE_WAY_MS: Millis = 20;
const RESULT_EVERY_MS: Millis = 1000;
const TICK_MS: Millis = 100;
const ABNORMAL_CLOSURE = 1006;

interface VirtualLineOptions {
  readonly clock: Clock;
  readonly mood: Mood;
  readonly events: SocketEvents;
  /** Where in the call its audio begins. */
  readonly offsetMs: Millis;
  readonly returnsResults: boolean;
  readonly mayLackMetadata: () => boolean;
  readonly isCalm: () => boolean;
}

/** A frame on its way: `bytes` of audio, or what the server does when it reads the frame. */
type Frame = { bytes: number } | { read: () => void };

/** A connection to a Deepgram in a mood, in virtual time, with what the two kernels hold in between. */
export class VirtualLine implements DeepgramSocket {
  readonly requestId: string;
  readonly offsetMs: Millis;
  /** For the client: the server may have ended the connection a little earlier. */
  isOpen = true;
  readonly #options: VirtualLineOptions;
  readonly #closed = Promise.withResolvers<SocketClose>();
  /** Frames that the client wrote and the server has not read, oldest first, and the audio in them. */
  readonly #frames: Frame[] = [];
  #unreadBytes = 0;
  /** Read by the server. */
  #waitingBytes = 0;
  #processedBytes = 0;
  #resultMs: Millis = 0;
  #isSilent = false;
  /** Whether a pong or a result was sent: without any, nothing tells a Deepgram that hangs from one that works. */
  #hasAnswered = false;
  #hasEnded = false;
  #isFinishing = false;
  #closeStreamSeen = false;

  constructor(requestId: string, options: VirtualLineOptions) {
    this.requestId = requestId;
    this.#options = options;
    this.offsetMs = options.offsetMs;
    const { clock, mood } = options;
    const cancelTicks = clock.every(TICK_MS, () => this.#tick());
    void this.#closed.promise.then(cancelTicks);
    clock.after(mood.lifeMs, () => this.#lose(mood.loss));
    if (mood.pongsUnasked) clock.after(500, () => this.#tell(() => options.events.onPong(12_345)));
  }

  get closed(): Promise<SocketClose> {
    return this.#closed.promise;
  }

  /** How far the server has processed the call. */
  get heardToMs(): Millis {
    return this.offsetMs + this.#processedBytes / BYTES_PER_MS;
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#unreadBytes - RECEIVE_BYTES - SEND_BYTES);
  }

  async unacked(): Promise<TcpQueue | undefined> {
    const unackedBytes = Math.min(SEND_BYTES, Math.max(0, this.#unreadBytes - RECEIVE_BYTES));
    return { unackedBytes, retransmits: 0 };
  }

  sendAudio({ byteLength }: Int32Array): void {
    const last = this.#frames.at(-1);
    if (last && 'bytes' in last) last.bytes += byteLength;
    else this.#frames.push({ bytes: byteLength });
    this.#unreadBytes += byteLength;
    this.#read();
    if (this.bufferedBytes === 0) queueMicrotask(() => this.#options.events.onTaken());
  }

  ping(mark: number): void {
    const { mood, clock, events } = this.#options;
    this.#write(() => {
      if (mood.pongMs !== 'never') clock.after(mood.pongMs, () => this.#answer(() => events.onPong(mark)));
    });
  }

  sendKeepAlive(): void {}

  sendCloseStream(): void {
    this.#write(() => {
      this.#closeStreamSeen = true;
      this.#isFinishing = true;
    });
  }

  terminate(): void {
    this.#close(ABNORMAL_CLOSURE);
  }

  #write(read: () => void): void {
    this.#frames.push({ read });
    this.#read();
  }

  /** The server reads what it takes now. */
  #read(): void {
    const most = this.#options.mood.reads === 'paced' ? PACED_BYTES : Infinity;
    while (!this.#isSilent && !this.#hasEnded) {
      const [frame] = this.#frames;
      if (frame === undefined) break;
      if ('read' in frame) {
        this.#frames.shift();
        frame.read();
      } else {
        const bytes = Math.min(frame.bytes, most - this.#waitingBytes);
        if (bytes <= 0) break;
        this.#waitingBytes += bytes;
        this.#unreadBytes -= bytes;
        frame.bytes -= bytes;
        if (frame.bytes === 0) this.#frames.shift();
      }
    }
  }

  /** Processes what a tick allows. */
  #tick(): void {
    if (this.#hasEnded || this.#isSilent) return;
    const bytes = Math.min(this.#waitingBytes, TICK_MS * RATE * BYTES_PER_MS);
    this.#waitingBytes -= bytes;
    this.#processedBytes += bytes;
    const hadBuffered = this.bufferedBytes > 0;
    this.#read();
    if (hadBuffered) this.#options.events.onTaken();
    const processedMs = this.#processedBytes / BYTES_PER_MS;
    if (processedMs - this.#resultMs >= RESULT_EVERY_MS) this.#sendResults();
    if (this.#isFinishing && this.#waitingBytes === 0) this.#finish();
  }

  #sendResults(): void {
    const [fromMs, toMs] = [this.#resultMs, this.#processedBytes / BYTES_PER_MS];
    this.#resultMs = toMs;
    if (!this.#options.returnsResults || fromMs === toMs) return;
    for (const channel of [0, 1]) {
      const times = { start: fromMs / 1000, duration: (toMs - fromMs) / 1000 };
      this.#message({ type: 'Results', channel_index: [channel, 2], is_final: true, ...times });
    }
  }

  #finish(): void {
    const { mood, mayLackMetadata } = this.#options;
    this.#isFinishing = false;
    this.#sendResults();
    const isOrderly = !mood.metadata && !mayLackMetadata();
    if (mood.metadata || isOrderly) this.#message({ type: 'Metadata', channels: 2 });
    this.#end(isOrderly ? 1000 : mood.end);
  }

  /** Loses the connection in mid-call; after CloseStream it ends as its mood says. */
  #lose(how: Mood['loss']): void {
    if (this.#hasEnded || this.#closeStreamSeen) return;
    if (how === 'half-open' && this.#hasAnswered) {
      this.#isSilent = !this.#options.isCalm();
      if (this.#isSilent) this.#options.clock.after(LONGEST_SILENCE_MS, () => this.#close(ABNORMAL_CLOSURE));
      return;
    }
    // A close with 1000 after CloseStream says that all is processed.
    const isBehind = this.#options.mood.reads === 'paced' || this.#waitingBytes > 0;
    this.#end(how === 'half-open' ? 'reset' : how === 1000 && isBehind ? 1011 : how);
  }

  #end(how: number | 'reset' | 'fin'): void {
    this.#hasEnded = true;
    this.#options.clock.after(ONE_WAY_MS, () => this.#close(typeof how === 'number' ? how : ABNORMAL_CLOSURE));
  }

  #close(code: number): void {
    this.#hasEnded = true;
    this.isOpen = false;
    this.#closed.resolve({ code, reason: '' });
  }

  #message(message: object): void {
    this.#answer(() => this.#options.events.onMessage(message));
  }

  #answer(take: () => void): void {
    this.#hasAnswered = true;
    this.#tell(take);
  }

  /** Sends something to the client, unless the connection has ended. */
  #tell(take: () => void): void {
    if (this.#hasEnded || this.#isSilent) return;
    this.#options.clock.after(ONE_WAY_MS / 2, take);
  }
}
