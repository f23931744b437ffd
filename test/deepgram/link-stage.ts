import { BYTES_PER_FRAME, BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import type { DeepgramParams } from '../../daemon/contract/deepgram-params.ts';
import { Link, type LinkOptions } from '../../daemon/deepgram/link.ts';
import { createLog } from '../../daemon/log/log.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import type { Millis } from '../../daemon/runtime/clock.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { runsOf } from '../support/audio-runs.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { FakeDeepgram } from './fake-deepgram.ts';

/** Callback mode. */
export const CALLBACK: DeepgramParams = { callback: 'https://results.example/' };
/** Results come back. */
export const RESULTS: DeepgramParams = { model: 'nova-3' };
export const REPLAY_MS: Millis = 2000;
const GIVE_UP_MS: Millis = 60_000;
/** What is sent at once of a call in real time. */
const STEP_MS: Millis = 100;

/** The call's audio: each frame contains its own number. */
export function callAudio(fromMs: Millis, toMs: Millis): Buffer {
  const [from, to] = [fromMs * BYTES_PER_MS, toMs * BYTES_PER_MS];
  const pcm = Buffer.alloc(to - from);
  for (let at = 0; at < pcm.length; at += BYTES_PER_FRAME) pcm.writeUInt32LE((from + at) / BYTES_PER_FRAME, at);
  return pcm;
}

/** A link in virtual time, with a fake Deepgram. */
export class LinkStage {
  readonly clock = new VirtualClock();
  readonly deepgram = new FakeDeepgram(this.clock);
  readonly metrics = new SessionMetrics();
  readonly log: Record<string, unknown>[] = [];
  readonly #log = createLog('info', { write: (line) => this.log.push(JSON.parse(line)) });
  #link: Link | undefined;
  #handedOverMs: Millis = 0;

  async open(params = CALLBACK, options: Partial<LinkOptions> = {}, signal = new AbortController().signal) {
    this.#handedOverMs = options.callMs ?? 0;
    this.#link = await Link.open(this.deepgram.open, params, signal, {
      timers: new TimerWheel(this.clock),
      log: this.#log,
      metrics: this.metrics,
      random: () => 0.5,
      replayMs: REPLAY_MS,
      giveUpMs: GIVE_UP_MS,
      callMs: 0,
      connections: 0,
      onMessage: () => {},
      ...options,
    });
    return this.#link;
  }

  get link(): Link {
    if (!this.#link) throw new Error('no link was opened');
    return this.#link;
  }

  events(): unknown[] {
    return this.log.map(({ event }) => event);
  }

  /** Sends the next ms of the call at once; returns the link's promise if the buffer is full. */
  send(ms: Millis): Promise<void> | undefined {
    let room: Promise<void> | undefined;
    const pcm = callAudio(this.#handedOverMs, this.#handedOverMs + ms);
    this.#handedOverMs += ms;
    this.link.liveEdge.arrived(this.#handedOverMs, this.clock.now());
    for (const run of runsOf(this.link.buffer, pcm, this.clock.now())) room = this.link.send(run);
    return room;
  }

  /** Sends audio until the buffer is full. */
  fill(): Promise<void> {
    for (let ms = 0; ms < 3_600_000; ms += STEP_MS) {
      const room = this.send(STEP_MS);
      if (room) return room;
    }
    throw new Error('the link accepted an hour of audio without back-pressure');
  }

  /** Sends the next ms of the call in real time. */
  async speak(ms: Millis): Promise<void> {
    for (let spokenMs = 0; spokenMs < ms; spokenMs += STEP_MS) {
      void this.send(STEP_MS);
      await this.clock.advance(STEP_MS);
    }
  }

  /** Sends silence in real time: all samples are 0. */
  async pause(ms: Millis): Promise<void> {
    const pcm = Buffer.alloc(STEP_MS * BYTES_PER_MS);
    for (let silentMs = 0; silentMs < ms; silentMs += STEP_MS) {
      this.#handedOverMs += STEP_MS;
      for (const run of runsOf(this.link.buffer, pcm, this.clock.now())) void this.link.send(run);
      await this.clock.advance(STEP_MS);
    }
  }

  /** The call is read again from this moment. */
  goBack(callMs: Millis): void {
    this.#handedOverMs = callMs;
  }

  /** Closes the connection and lets the link react. */
  async lose(code: number, reason?: string): Promise<void> {
    this.deepgram.socket.close(code, reason);
    await this.clock.settle();
  }

  /** The call as Deepgram received it, assembled from all connections by their offsets. */
  received(): Buffer {
    const { sockets } = this.deepgram;
    const audio = Buffer.alloc(Math.max(...sockets.map(({ endMs }) => endMs)) * BYTES_PER_MS);
    for (const socket of sockets) socket.audio.copy(audio, socket.offsetMs * BYTES_PER_MS);
    return audio;
  }
}
