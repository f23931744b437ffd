import type { DeepgramParams } from '../../daemon/contract/deepgram-params.ts';
import { DeepgramRefused, DeepgramUnreachable } from '../../daemon/deepgram/errors.ts';
import { Link } from '../../daemon/deepgram/link.ts';
import { momentOf } from '../../daemon/deepgram/replay-buffer.ts';
import type { SocketEvents } from '../../daemon/deepgram/socket.ts';
import { createLog } from '../../daemon/log/log.ts';
import { SessionMetrics } from '../../daemon/metrics/session-metrics.ts';
import type { Clock, Millis } from '../../daemon/runtime/clock.ts';
import { TimerWheel } from '../../daemon/runtime/timer-wheel.ts';
import { callAudio } from '../deepgram/link-stage.ts';
import { runsOf } from '../support/audio-runs.ts';
import { randomFrom } from '../support/random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { moodFor } from './moods.ts';
import { VirtualLine } from './virtual-line.ts';

interface VirtualSoakOptions {
  readonly calls: number;
  readonly seconds: number;
  readonly seed: number;
}

/** What became of a call. */
export interface VirtualCallFigures {
  readonly call: number;
  readonly spokenMs: Millis;
  /** Call time that Deepgram did not process, and what the link reports about it. */
  readonly missingMs: Millis;
  readonly unfinishedMs: Millis;
  /** What failed, in words. */
  readonly failures: readonly string[];
  readonly connections: number;
  readonly refusals: number;
  readonly log: readonly Record<string, unknown>[];
}

/** The defaults of the settings. */
const REPLAY_MS: Millis = 6000;
const GIVE_UP_MS: Millis = 60_000;
const STEP_MS: Millis = 100;
const CALM_MS: Millis = 20_000;
const END_TIMEOUT_MS: Millis = 1_200_000;
/** Nothing here measures the thread's load. */
const NO_CPU = () => 0;

/** The links of calls in real time to a Deepgram of all moods, all in virtual time: the same for the same seed. */
export async function virtualSoak({ calls, seconds, seed }: VirtualSoakOptions): Promise<VirtualCallFigures[]> {
  const clock = new VirtualClock();
  const timers = new TimerWheel(clock, NO_CPU);
  let isCalm = false;
  const all = Array.from({ length: calls }, (_, call) => new VirtualCall(call, seed, clock, timers, () => isCalm));
  await Promise.all([...all.map((call) => call.open()), clock.advance(5000)]);
  for (let ms = STEP_MS; ms <= seconds * 1000; ms += STEP_MS) {
    isCalm = ms >= seconds * 1000 - CALM_MS;
    for (const call of all) call.speak(STEP_MS);
    await clock.advance(STEP_MS);
  }
  for (let ms = 0; ms < END_TIMEOUT_MS && !all.every(({ hasEnded }) => hasEnded); ms += STEP_MS) {
    for (const call of all) call.hangUp();
    await clock.advance(STEP_MS);
  }
  return all.map((call) => call.figures());
}

/** A call: what is spoken waits, as in Kinesis, while the link has no room. */
class VirtualCall {
  readonly #call: number;
  readonly #seed: number;
  readonly #clock: VirtualClock;
  readonly #timers: TimerWheel;
  readonly #isCalm: () => boolean;
  readonly #lines: VirtualLine[] = [];
  readonly #log: Record<string, unknown>[] = [];
  readonly #metrics = new SessionMetrics();
  #handshakes = 0;
  #refusals = 0;
  #lackedMetadata = false;
  #link: Link | undefined;
  #spokenMs: Millis = 0;
  #sentMs: Millis = 0;
  #isHeldBack = false;
  #isFinishing = false;
  #error: Error | undefined;
  hasEnded = false;

  constructor(call: number, seed: number, clock: VirtualClock, timers: TimerWheel, isCalm: () => boolean) {
    this.#call = call;
    this.#seed = seed;
    this.#clock = clock;
    this.#timers = timers;
    this.#isCalm = isCalm;
  }

  async open(): Promise<void> {
    const random = randomFrom(this.#seed + this.#call);
    const params: DeepgramParams = this.#call % 2 === 0 ? { callback: 'https://results.example/' } : {};
    this.#link = await Link.open(this.#handshake, params, new AbortController().signal, {
      timers: this.#timers,
      log: createLog('info', { write: (line) => this.#note(JSON.parse(line)) }),
      metrics: this.#metrics,
      random,
      replayMs: REPLAY_MS,
      giveUpMs: GIVE_UP_MS,
      callMs: 0,
      connections: 0,
      onMessage: () => {},
    });
    void this.#link.ended.then((error) => {
      this.#error = error;
      this.hasEnded = true;
    });
  }

  speak(ms: Millis): void {
    this.#spokenMs += ms;
    this.#send();
  }

  hangUp(): void {
    this.#send();
    if (this.#isFinishing || this.#sentMs < this.#spokenMs) return;
    this.#isFinishing = true;
    void this.#link?.finish().catch(() => {});
  }

  figures(): VirtualCallFigures {
    let [heardToMs, gapMs] = [0, 0];
    for (const { offsetMs, heardToMs: toMs } of this.#lines.toSorted((one, other) => one.offsetMs - other.offsetMs)) {
      gapMs += Math.max(0, offsetMs - heardToMs);
      heardToMs = Math.max(heardToMs, toMs);
    }
    const missingMs = gapMs + Math.max(0, this.#spokenMs - heardToMs);
    const unfinishedMs = this.#link?.unfinishedMs ?? 0;
    const who = `call ${this.#call}`;
    return {
      call: this.#call,
      spokenMs: this.#spokenMs,
      missingMs,
      unfinishedMs,
      failures: [
        ...(missingMs > 0 ? [`${who} lacks ${missingMs} ms`] : []),
        ...(unfinishedMs > 0 ? [`${who} has ${unfinishedMs} ms unfinished`] : []),
        ...(this.#error ? [`${who} failed: ${this.#error.message}`] : []),
        ...(this.hasEnded ? [] : [`${who} did not end`]),
        ...this.#miscounted().map((difference) => `${who}: ${difference}`),
      ],
      connections: this.#lines.length,
      refusals: this.#refusals,
      log: this.#log,
    };
  }

  /** Where the link's metrics differ from what was counted here. */
  #miscounted(): string[] {
    const { counts } = this.#metrics.snapshot();
    const sum = (tally: object) => Object.values(tally).reduce((total: number, count) => total + Number(count), 0);
    const sent = momentOf(counts.deepgramBytes) - counts.replayedMs;
    return [
      ...(sum(counts.reconnects) === this.#lines.length - 1 ? [] : ['reconnects are miscounted']),
      ...(sum(counts.refusals) === this.#refusals ? [] : ['refusals are miscounted']),
      ...(sent === this.#spokenMs ? [] : [`${sent} ms were sent once, but ${this.#spokenMs} ms spoken`]),
    ];
  }

  #note(line: Record<string, unknown>): void {
    this.#log.push({ ...line, time: undefined, atMs: this.#clock.now() });
  }

  #send(): void {
    while (!(this.#isHeldBack || this.hasEnded) && this.#link && this.#sentMs < this.#spokenMs) {
      const pcm = callAudio(this.#sentMs, this.#sentMs + STEP_MS);
      this.#sentMs += STEP_MS;
      for (const run of runsOf(this.#link.buffer, pcm, this.#clock.now())) {
        const room = this.#link.send(run);
        this.#isHeldBack = room !== undefined;
        void room?.then(() => {
          this.#isHeldBack = false;
        });
      }
    }
  }

  readonly #handshake = async (params: DeepgramParams, events: SocketEvents, signal: AbortSignal) => {
    const mood = moodFor({ seed: this.#seed, call: this.#call, handshakes: this.#handshakes++ });
    const { refusal } = mood;
    this.#note({ event: 'handshake', mood });
    await answered(this.#clock, refusal === 'hang' ? Infinity : mood.handshakeMs, signal);
    if (refusal !== undefined) this.#refusals++;
    if (refusal === 'reset') throw new DeepgramUnreachable('deepgram', new Error('reset'));
    if (typeof refusal === 'object') {
      const { status, headers, body } = refusal;
      const retryAfterMs = headers['retry-after'] ? Number(headers['retry-after']) * 1000 : undefined;
      const isForeign = body.startsWith('<');
      throw new DeepgramRefused(status, headers['dg-error'], undefined, { isForeign, retryAfterMs });
    }
    const extra = [params['extra'] ?? []].flat();
    const line = new VirtualLine(String(this.#handshakes), {
      clock: this.#clock,
      mood,
      events,
      offsetMs: Number(extra.find((pair) => pair.startsWith('dgintegrator_offset_ms:'))?.split(':')[1] ?? 0),
      returnsResults: params['callback'] === undefined,
      mayLackMetadata: () => {
        const may = !this.#lackedMetadata;
        this.#lackedMetadata = true;
        return may;
      },
      isCalm: this.#isCalm,
    });
    this.#lines.push(line);
    void line.closed.then(({ code }) => this.#note({ event: 'line.closed', code, heardToMs: line.heardToMs }));
    return line;
  };
}

/** Resolves after `ms`; rejects with the signal's reason. */
async function answered(clock: Clock, ms: Millis, signal: AbortSignal): Promise<void> {
  if (ms !== Infinity) return clock.sleep(ms, signal);
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
