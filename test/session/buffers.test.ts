import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { Aligner } from '../../daemon/audio/aligner.ts';
import { LONGEST_RUN_MS } from '../../daemon/audio/interleave.ts';
import { BYTES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { Link } from '../../daemon/deepgram/link.ts';
import type { SocketEvents } from '../../daemon/deepgram/socket.ts';
import { ContactFilter } from '../../daemon/kinesis/filter/contact-filter.ts';
import { createLog } from '../../daemon/log/log.ts';
import { Demuxer } from '../../daemon/matroska/demuxer.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import type { Millis } from '../../daemon/runtime/clock.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { mkvOf } from '../bench/material.ts';
import { contactIdOf, fragmentNumberOf, streamArnOf } from '../load/identity.ts';
import { BLOCK_MS } from '../load/sound.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const FRAGMENTS = 80;
const ALIGN_WAIT_MS: Millis = 150;
const SESSIONS = 10;
/** Fingerprints of two tracks: of the last 960 blocks, 4 bytes each. */
const FINGERPRINTS_BYTES = 2 * 960 * 4;
/** A block that waits for its turn, and what V8 adds. */
const WAITING_BYTES = 2048;
/** A run that is being written, and rounding. */
const ROOM_MS: Millis = 276;
/** What a reconnect repeats beyond REPLAY_MS. */
const FINAL_AFTER_MS: Millis = 1000;
/** The least of the call that can be looked back at. */
const LOOK_BACK_MS: Millis = 2048;

/** A line to Deepgram that takes nothing while it is away. */
class Line {
  isAway = false;
  bufferedBytes = 0;
  readonly requestId = 'a';
  readonly isOpen = true;
  readonly closed = new Promise<never>(() => {});
  readonly #events: SocketEvents;
  #hasSent = false;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  sendAudio({ byteLength }: Int32Array): void {
    if (this.isAway) this.bufferedBytes += byteLength;
    else this.#hasSent = true;
  }

  async unacked() {
    return { unackedBytes: 0, retransmits: 0 };
  }

  ping(mark: number): void {
    if (!this.isAway) this.#events.onPong(mark);
  }

  comeBack(): void {
    this.isAway = false;
    this.bufferedBytes = 0;
    this.#events.onTaken();
    this.taken();
  }

  /** The kernel has taken everything that was sent, and what is sent because of that. */
  taken(): void {
    while (this.#hasSent) {
      this.#hasSent = false;
      this.#events.onTaken();
    }
  }

  sendKeepAlive(): void {}
  sendCloseStream(): void {}
  terminate(): void {}
}

/** A session's way of the audio, from the bytes of its stream to Deepgram's socket. */
class AudioPath {
  readonly clock = new VirtualClock();
  readonly link: Link;
  readonly #line: Line;
  readonly #filter: ContactFilter;
  readonly #demuxer: Demuxer;
  readonly #aligner: Aligner;
  readonly #chunks: Iterator<Buffer>;

  static async open(call: number, replayMs: Millis, chunks: Iterable<Buffer>): Promise<AudioPath> {
    const clock = new VirtualClock();
    const lines: Line[] = [];
    const open = async (_params: object, events: SocketEvents) => {
      const line = new Line(events);
      lines.push(line);
      return line;
    };
    const link = await Link.open(open, { callback: 'https://results.example/' }, new AbortController().signal, {
      timers: new TimerWheel(clock),
      log: createLog('silent'),
      metrics: new SessionMetrics(),
      random: () => 0.5,
      replayMs,
      giveUpMs: 60_000,
      callMs: 0,
      connections: 0,
      onMessage: () => {},
    });
    return new AudioPath(call, clock, link, lines[0] as Line, chunks);
  }

  private constructor(call: number, clock: VirtualClock, link: Link, line: Line, chunks: Iterable<Buffer>) {
    this.clock = clock;
    this.link = link;
    this.#line = line;
    const start = { isCallStart: true, fragmentNumber: fragmentNumberOf(call, 1), atEpochMs: undefined } as const;
    const contact = { contactId: contactIdOf(call), streamArn: streamArnOf(call), start };
    this.#filter = new ContactFilter(contact, () => {});
    this.#demuxer = new Demuxer(this.#filter);
    this.#aligner = new Aligner(ALIGN_WAIT_MS, link.buffer);
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** Reads so much of the call in real time, `gatherMs` at once. */
  speak(ms: Millis, gatherMs = BLOCK_MS): void {
    for (let spokenMs = 0; spokenMs < ms; spokenMs += gatherMs) {
      this.clock.forward(gatherMs);
      for (let readMs = 0; readMs < gatherMs; readMs += BLOCK_MS) this.#read(this.#chunks.next().value as Buffer);
    }
  }

  /** How long the line takes nothing. */
  speakToNobody(ms: Millis): void {
    this.#line.isAway = true;
    this.speak(ms);
    this.#line.comeBack();
  }

  get sentMs(): Millis {
    return this.link.stats().audioMs;
  }

  #read(chunk: Buffer): void {
    this.#filter.nowMs = this.clock.now();
    this.#demuxer.push(chunk);
    for (const block of this.#filter.take()) this.#aligner.add(block);
    for (let run = this.#aligner.take(LONGEST_RUN_MS); run; run = this.#aligner.take(LONGEST_RUN_MS))
      void this.link.send(run);
    this.#line.taken();
    this.#aligner.keep();
  }
}

/** Bytes of this thread's buffers that are in use. */
function bytesOfBuffers(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}

for (const [name, replayMs, speak] of [
  ['in real time', 1000, (path: AudioPath) => path.speak(15_360)],
  ['with the REPLAY_MS of the default', 6000, (path: AudioPath) => path.speak(15_360)],
  ['that comes a fragment at a time', 1000, (path: AudioPath) => path.speak(16_384, 1024)],
  [
    'after an outage',
    1000,
    (path: AudioPath) => {
      path.speak(5120);
      path.speakToNobody(10_240);
      // Deepgram processes at most 1.25 times real time: until then more is kept.
      path.speak(61_440);
    },
  ],
] as const) {
  test.serial(`a call ${name} keeps what a reconnect repeats, one message, and its fingerprints`, async (t) => {
    // Prepared before, because chunks are views of buffers that others share.
    const chunks = mkvOf(0, FRAGMENTS);
    const warm = await AudioPath.open(0, replayMs, chunks);
    speak(warm);
    const before = bytesOfBuffers();
    const paths = await Promise.all(Array.from({ length: SESSIONS }, () => AudioPath.open(0, replayMs, chunks)));
    for (const path of paths) speak(path);
    const bytes = (bytesOfBuffers() - before) / SESSIONS;
    t.true(paths.every(({ sentMs }) => sentMs > 15_000));
    const kept = Math.max(replayMs + FINAL_AFTER_MS + ROOM_MS, LOOK_BACK_MS) * BYTES_PER_MS;
    t.true(bytes >= kept + FINGERPRINTS_BYTES, `${bytes} bytes`);
    t.true(bytes <= kept + FINGERPRINTS_BYTES + WAITING_BYTES, `${bytes} bytes`);
  });
}
