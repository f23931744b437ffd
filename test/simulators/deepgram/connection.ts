import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { type Fault, NO_FAULT } from './faults.ts';
import { type Message, type MessageContext, metadataMessage, resultsMessage, transcribedChannels } from './messages.ts';
import { Processor } from './processor.ts';
import type { Recording } from './recording.ts';
import { Transcriber, type Utterance } from './transcriber.ts';
import { Vocabulary } from './vocabulary.ts';

/** Where a connection's results go: its own socket or a callback. */
export interface Outlet {
  send(message: Message): void;
  /** No message will follow. */
  end(): void;
}

interface ConnectionOptions {
  context: MessageContext;
  recording: Recording;
  vocabularies: readonly Vocabulary[];
  outlet: Outlet;
  fault: Exclude<Fault, { hang: true }>;
  /** The connection is closed after this long without audio or KeepAlive. */
  net0001Ms: number;
  /** Processing speed relative to real time. */
  rate: number;
  reads: 'paced' | 'buffered';
  silenceFinals: boolean;
}

/** daemon/deepgram/README.md: audio that cannot be decoded. */
const DATA_0000 = { code: 1008, reason: 'DATA-0000' };
/** daemon/deepgram/README.md: neither audio nor KeepAlive in time. */
const NET_0001 = { code: 1011, reason: 'NET-0001' };
const BYTES_PER_SAMPLE = 2;
const MS_PER_SECOND = 1000;
/** Audio that a server with paced reads buffers. */
const PACED_MS = 250;
/** Delay of a reset, so that earlier data arrives. */
const BEFORE_RESET_MS = 50;
/** For channels without a speaker of the sample call. */
const NO_WORDS = new Vocabulary([]);

/** One accepted WebSocket, from its opening to its close. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #transcribers: readonly Transcriber[];
  readonly #silenceTimer: NodeJS.Timeout;
  readonly #processor: Processor;
  #stallTimer: NodeJS.Timeout | undefined;
  #fault: Exclude<Fault, { hang: true }>;
  #frames = 0;
  #isEnding = false;

  constructor(socket: WebSocket, options: ConnectionOptions) {
    const { params } = options.context;
    this.#socket = socket;
    this.#options = options;
    this.#fault = options.fault;
    this.#transcribers = Array.from(
      { length: transcribedChannels(params) },
      (_, channel) =>
        new Transcriber(options.vocabularies[channel] ?? NO_WORDS, params.sampleRateHz, options.silenceFinals),
    );
    this.#processor = new Processor(options.rate, () => this.#pace());
    this.#silenceTimer = setInterval(() => this.#sayNoAudioCame(), options.net0001Ms);
    socket.on('ping', (mark) => this.#pong(mark));
    socket.on('message', (data, isBinary) => this.#take(data, isBinary));
    socket.on('error', (error) => {
      options.recording.facts.error = error.message;
    });
    socket.on('close', (code, reason) => this.#closed(code, reason.toString()));
    this.#applyFault();
  }

  #take(data: RawData, isBinary: boolean): void {
    if (this.#isEnding) return;
    const bytes = data as Buffer;
    if (!isBinary) this.#takeControl(bytes.toString());
    else if (bytes.length === 0) this.#closeStream();
    else this.#takeAudio(bytes);
  }

  #takeControl(text: string): void {
    const type = messageType(text);
    const { controlMessages } = this.#options.recording.facts;
    if (type === undefined || !Object.hasOwn(controlMessages, type)) {
      this.#close(DATA_0000);
      return;
    }
    controlMessages[type as keyof typeof controlMessages] += 1;
    if (type === 'KeepAlive') this.#silenceTimer.refresh();
    if (type === 'Finalize') this.#processor.add(0, () => this.#flush({ fromFinalize: true }));
    if (type !== 'CloseStream') return;
    // No more audio is expected.
    clearInterval(this.#silenceTimer);
    this.#processor.add(0, () => this.#closeStream());
  }

  #takeAudio(audio: Buffer): void {
    const { params } = this.#options.context;
    this.#silenceTimer.refresh();
    this.#options.recording.take(audio);
    const frameBytes = BYTES_PER_SAMPLE * params.channels;
    if (params.encoding !== 'linear16' || audio.length % frameBytes !== 0) {
      this.#close(DATA_0000);
      return;
    }
    const frames = audio.length / frameBytes;
    this.#frames += frames;
    this.#processor.add((frames / params.sampleRateHz) * MS_PER_SECOND, () => this.#transcribe(audio));
    this.#pace();
    this.#applyFault();
  }

  #transcribe(audio: Buffer): void {
    const { params } = this.#options.context;
    this.#options.recording.facts.processedBytes += audio.length;
    this.#transcribers.forEach((transcriber, channel) => {
      const samples = params.multichannel ? samplesOf(audio, channel, params.channels) : mixed(audio, params.channels);
      this.#send(channel, transcriber.hear(samples));
    });
  }

  #pace(): void {
    if (this.#options.reads === 'buffered' || this.#stallTimer) return;
    if (this.#processor.backlogMs > PACED_MS) this.#socket.pause();
    else this.#socket.resume();
  }

  #pong(mark: Buffer): void {
    const { pongMs = 0 } = this.#options.fault;
    if (pongMs === 'never') return;
    const answer = () => {
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.pong(mark);
    };
    if (pongMs === 0) answer();
    else setTimeout(answer, pongMs);
  }

  #flush({ fromFinalize }: { fromFinalize: boolean }): void {
    this.#transcribers.forEach((transcriber, channel) => {
      this.#send(channel, transcriber.flush({ fromFinalize }));
    });
  }

  #send(channel: number, utterances: readonly Utterance[]): void {
    const { context, outlet, fault } = this.#options;
    for (const utterance of utterances) {
      if (utterance.isFinal && fault.finals === false) continue;
      if (utterance.isFinal || context.params.interimResults) outlet.send(resultsMessage(context, channel, utterance));
    }
  }

  #closeStream(): void {
    const { context, outlet, recording } = this.#options;
    this.#flush({ fromFinalize: false });
    const summary = { sha256: recording.sha256(), openedAt: recording.facts.openedAt, durationSamples: this.#frames };
    const { end = 1000, metadata = true } = this.#options.fault;
    if (metadata) outlet.send(metadataMessage(context, summary));
    if (typeof end === 'number') this.#close({ code: end, reason: '' });
    else this.#breakOff(end);
  }

  /** Ends the TCP connection without a close frame. */
  #breakOff(how: 'reset' | 'fin'): void {
    this.#isEnding = true;
    clearInterval(this.#silenceTimer);
    const tcp = (this.#socket as unknown as { _socket: Socket })._socket;
    setTimeout(() => (how === 'fin' ? tcp.end() : tcp.resetAndDestroy()), BEFORE_RESET_MS);
  }

  #sayNoAudioCame(): void {
    if (!this.#socket.isPaused) this.#close(NET_0001);
  }

  #close({ code, reason }: { code: number; reason: string }): void {
    this.#isEnding = true;
    clearInterval(this.#silenceTimer);
    this.#socket.close(code, reason);
  }

  #closed(code: number, reason: string): void {
    this.#isEnding = true;
    clearInterval(this.#silenceTimer);
    clearTimeout(this.#stallTimer);
    this.#processor.stop();
    this.#options.outlet.end();
    this.#options.recording.close(code, reason);
  }

  /** Applies this connection's fault once enough audio has arrived. */
  #applyFault(): void {
    const { sampleRateHz } = this.#options.context.params;
    const audioMs = this.#frames === 0 ? 0 : (this.#frames / sampleRateHz) * MS_PER_SECOND;
    const fault = this.#fault;
    if ('closeAfterMs' in fault && audioMs >= fault.closeAfterMs) this.#close(fault);
    if ('resetAfterMs' in fault && audioMs >= fault.resetAfterMs) {
      this.#isEnding = true;
      this.#socket.terminate();
    }
    if ('stallAfterMs' in fault && audioMs >= fault.stallAfterMs) {
      this.#fault = NO_FAULT;
      this.#socket.pause();
      this.#stallTimer = setTimeout(() => {
        this.#stallTimer = undefined;
        this.#socket.resume();
      }, fault.forMs);
    }
  }
}

function messageType(text: string): string | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message && 'type' in message ? String(message.type) : undefined;
  } catch {
    return undefined;
  }
}

function samplesOf(audio: Buffer, channel: number, channels: number): Int16Array {
  const frameBytes = BYTES_PER_SAMPLE * channels;
  const samples = new Int16Array(audio.length / frameBytes);
  for (let i = 0; i < samples.length; i += 1) {
    samples[i] = audio.readInt16LE(i * frameBytes + channel * BYTES_PER_SAMPLE);
  }
  return samples;
}

function mixed(audio: Buffer, channels: number): Int16Array {
  const tracks = Array.from({ length: channels }, (_, channel) => samplesOf(audio, channel, channels));
  return Int16Array.from({ length: audio.length / (BYTES_PER_SAMPLE * channels) }, (_, i) =>
    Math.round(tracks.reduce((sum, track) => sum + (track[i] ?? 0), 0) / channels),
  );
}
