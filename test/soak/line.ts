import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Ear } from '../load/heard-call.ts';
import { STEREO_BYTES_PER_MS } from '../load/sound.ts';
import { BadFrame, ClientFrames, type Masked, OPCODE, serverFrame } from '../load/ws-frames.ts';
import { LONGEST_SILENCE_MS, type Mood } from './moods.ts';

/** daemon/deepgram/README.md: no faster than this times real time. */
const RATE = 1.25;
/** What a server with paced reads takes ahead. */
const PACED_MS = 250;
/** After its close frame, a server does not wait for the client indefinitely. */
const CLOSING_MS = 15_000;
const RESULT_EVERY_MS = 1000;
const MS_PER_SECOND = 1000;

interface LineOptions {
  readonly socket: Socket;
  readonly ear: Ear;
  readonly mood: Mood;
  /** Whether results go back on this line. */
  readonly returnsResults: boolean;
  /** Whether Metadata may be missing at the end. */
  readonly mayLackMetadata: () => boolean;
  /** Whether lines no longer go silent: with nothing left to send, that cannot be told from a Deepgram that takes its time. */
  readonly isCalm: () => boolean;
  readonly onKeepAlive: () => void;
}

interface Waiting {
  readonly audio: Masked;
  readonly dueAtMs: number;
}

/** One connection to a Deepgram in a mood. Audio that it has not processed when it is lost counts as not received. */
export class Line {
  readonly #options: LineOptions;
  readonly #waiting: Waiting[] = [];
  #busyUntilMs = 0;
  #takes = true;
  #isFinishing = false;
  #resultMs = 0;
  /** Whether a pong or a result was sent: without any, nothing tells a Deepgram that hangs from one that works. */
  #hasAnswered = false;
  #hasHeard = false;
  closeStreamSeen = false;

  constructor(options: LineOptions, head: Buffer) {
    this.#options = options;
    const { socket, mood } = options;
    const frames = new ClientFrames({
      audio: (stretch) => this.#takeAudio(stretch),
      audioEnd: () => {},
      text: (text) => this.#takeText(text),
      control: (opcode, payload) => this.#takeControl(opcode, payload),
    });
    const take = (bytes: Buffer) => {
      this.#hasHeard = true;
      try {
        frames.push(bytes);
      } catch (error) {
        if (!(error instanceof BadFrame || error instanceof SyntaxError)) throw error;
        socket.destroy();
      }
    };
    if (head.length > 0) take(head);
    socket.on('data', take);
    setTimeout(() => this.#lose(mood.loss), mood.lifeMs).unref();
    if (mood.pongsUnasked)
      setTimeout(() => this.#write(serverFrame(OPCODE.pong, Buffer.from('0000012345'))), 500).unref();
  }

  /** The client gave up before the handshake was answered: it sent nothing and ended the connection. */
  get wasTooLate(): boolean {
    return !this.#hasHeard && this.#takes;
  }

  /** Processes what is due. */
  tick(nowMs: number): void {
    const { ear, socket, mood } = this.#options;
    while (this.#takes && (this.#waiting[0]?.dueAtMs ?? Infinity) <= nowMs) {
      const { audio } = this.#waiting.shift() as Waiting;
      ear.take(audio);
    }
    if (mood.reads === 'paced' && this.#takes && this.#backlogMs(nowMs) <= PACED_MS) socket.resume();
    if (ear.receivedMs - this.#resultMs >= RESULT_EVERY_MS) this.#sendResults();
    if (this.#isFinishing && this.#waiting.length === 0) this.#finish();
  }

  #backlogMs(nowMs: number): number {
    return Math.max(0, this.#busyUntilMs - nowMs) * RATE;
  }

  #takeAudio({ bytes, from, to, mask, phase }: Masked): void {
    const nowMs = performance.now();
    if (!this.#takes) return;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + (to - from) / STEREO_BYTES_PER_MS / RATE;
    const audio = { bytes: Buffer.from(bytes.subarray(from, to)), from: 0, to: to - from, mask: mask.slice(), phase };
    this.#waiting.push({ audio, dueAtMs: this.#busyUntilMs });
    if (this.#options.mood.reads === 'paced' && this.#backlogMs(nowMs) > PACED_MS) this.#options.socket.pause();
  }

  #takeText(text: string): void {
    const { type } = JSON.parse(text) as { type?: unknown };
    if (type === 'KeepAlive') this.#options.onKeepAlive();
    if (type !== 'CloseStream') return;
    this.closeStreamSeen = true;
    this.#isFinishing = true;
  }

  #takeControl(opcode: number, payload: Buffer): void {
    const { socket, mood } = this.#options;
    if (opcode === OPCODE.ping && mood.pongMs !== 'never') {
      const pong = serverFrame(OPCODE.pong, Buffer.from(payload));
      if (mood.pongMs === 0) this.#answer(pong);
      else setTimeout(() => this.#answer(pong), mood.pongMs).unref();
    }
    if (opcode !== OPCODE.close) return;
    if (this.#takes) this.#write(serverFrame(OPCODE.close, payload));
    socket.end();
  }

  /** Final results of both channels for what was processed. */
  #sendResults(): void {
    const { ear, returnsResults } = this.#options;
    const [fromMs, toMs] = [this.#resultMs, ear.receivedMs];
    this.#resultMs = toMs;
    if (!returnsResults || toMs === fromMs) return;
    for (const channel of [0, 1]) {
      this.#send({
        type: 'Results',
        channel_index: [channel, 2],
        start: fromMs / MS_PER_SECOND,
        duration: (toMs - fromMs) / MS_PER_SECOND,
        is_final: true,
        channel: { alternatives: [{ transcript: '' }] },
      });
    }
  }

  #finish(): void {
    const { mood, ear, mayLackMetadata } = this.#options;
    this.#isFinishing = false;
    this.#sendResults();
    const isOrderly = !mood.metadata && !mayLackMetadata();
    if (mood.metadata || isOrderly)
      this.#send({ type: 'Metadata', channels: 2, duration: ear.receivedMs / MS_PER_SECOND });
    this.#end(isOrderly ? 1000 : mood.end);
  }

  /** Loses the connection in mid-call; after CloseStream it ends as its mood says. */
  #lose(how: Mood['loss']): void {
    if (!this.#takes || this.closeStreamSeen) return;
    if (how === 'half-open' && !this.#hasAnswered) this.#end('reset');
    else if (how === 'half-open' && !this.#options.isCalm()) {
      this.#takes = false;
      this.#waiting.length = 0;
      const { socket } = this.#options;
      socket.pause();
      setTimeout(() => socket.resetAndDestroy(), LONGEST_SILENCE_MS).unref();
    } else if (how !== 'half-open') {
      // A close with 1000 after CloseStream says that all is processed.
      const isBehind = this.#options.mood.reads === 'paced' || this.#waiting.length > 0;
      this.#end(how === 1000 && isBehind ? 1011 : how);
    }
  }

  #end(how: number | 'reset' | 'fin'): void {
    const { socket, ear } = this.#options;
    if (typeof how === 'number') {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(how);
      this.#write(serverFrame(OPCODE.close, payload));
      if (!socket.destroyed) ear.closeCode = how;
      setTimeout(() => socket.destroy(), CLOSING_MS).unref();
    } else {
      // What was written before, such as Metadata, should arrive.
      setTimeout(() => (how === 'reset' ? socket.resetAndDestroy() : socket.end()), 50).unref();
    }
    this.#takes = false;
    this.#waiting.length = 0;
    socket.resume();
  }

  #send(message: object): void {
    this.#answer(serverFrame(OPCODE.text, Buffer.from(JSON.stringify({ ...message, request_id: randomUUID() }))));
  }

  #answer(frame: Buffer): void {
    this.#hasAnswered = true;
    this.#write(frame);
  }

  #write(frame: Buffer): void {
    const { socket } = this.#options;
    if (this.#takes && !socket.destroyed && socket.writable) socket.write(frame);
  }
}
