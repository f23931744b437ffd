import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { compared } from './comparison.ts';
import type { Start } from './daemon.ts';
import { LoadFailed } from './failure.ts';
import { type FaultKind, type PlannedFault, planFaults } from './faults.ts';
import { MAX_CALLS, WARM_UP_CALL } from './identity.ts';
import { monotonicMs } from './monotonic.ts';
import type { Options } from './options.ts';
import { outcomeOf } from './outcome.ts';
import { cpuTimesOf, rssOf } from './process-usage.ts';
import type { StageFigures } from './report.ts';
import type { Setup } from './setup.ts';
import { Spread, type SpreadFigures } from './spread.ts';
import { measureStage } from './stage.ts';
import { isWithinLag, type Judged } from './verdict.ts';

const MS_PER_SECOND = 1000;
/** More than two fragments, a ping and a checkpoint, so that every part of a call has run once. */
const WARM_UP_AUDIO_MS = 2500;
/** Generous: the audio takes a few seconds. */
const WARM_UP_TIMEOUT_MS = 30_000;
/** A session ends within a second or two of its call, but the daemon waits up to 10 s for Deepgram's last results. */
const END_TIMEOUT_MS = 30_000;
/** The consumer answers within 50 ms. */
const DELIVERY_TIMEOUT_MS = 30_000;
/** Reasons of failed starts that are shown. */
const SHOWN_REASONS = 5;
const BYTES_PER_KIB = 1024;

/** Called with the progress of a run. */
type OnProgress = (text: string) => void;

/** Starts calls, more calls with --until-lag, ends them, and reports the outcome. */
export class LoadRun {
  readonly #setup: Setup;
  readonly #options: Options;
  readonly #onProgress: OnProgress;
  readonly #latency = new Spread();
  readonly #starts: Start[] = [];
  /** CPU of the daemon while calls were being started. */
  #startCpuMs = 0;
  readonly #broken: Record<FaultKind, number> = { kinesis: 0, deepgram: 0, fragment: 0 };

  constructor(setup: Setup, options: Options, onProgress: OnProgress) {
    this.#setup = setup;
    this.#options = options;
    this.#onProgress = onProgress;
  }

  /** Throws LoadFailed if there is nothing to measure. */
  async run(): Promise<Judged> {
    const options = this.#options;
    await this.#warmUp();
    const { daemon } = this.#setup;
    const before = await daemon.scrape();
    const idleRssBytes = rssOf(daemon.pid);
    const lagWhileStartingMs = await this.#startMore();
    const stages = [await this.#stage(idleRssBytes)];
    while (
      options.untilLag &&
      isWithinLag(stages.at(-1), options) &&
      this.#starts.length + options.calls <= MAX_CALLS
    ) {
      await this.#startMore();
      stages.push(await this.#stage(idleRssBytes));
    }
    const started = this.#started();
    const unended = await this.#hangUp(started);
    const isDelivered = await daemon.delivered(DELIVERY_TIMEOUT_MS);
    const { audio, results, counted } = await outcomeOf(this.#setup, this.#starts);
    const notCompared = this.#whyNotCompared(unended, isDelivered);
    const comparisons = notCompared === undefined ? compared(before, await daemon.scrape(), counted) : [];
    const { kinesis: kinesisBroken, deepgram: deepgramBroken, fragment: fragmentsLost } = this.#broken;
    const resumes = counted.mediaReopened;
    const reconnects = Object.values(counted.reconnects).reduce((sum, count) => sum + count, 0);
    const withinLag = stages.filter((stage) => isWithinLag(stage, options)).map(({ calls }) => calls);
    return {
      machine: machine(),
      options,
      idleRssKib: idleRssBytes / BYTES_PER_KIB,
      starts: this.#startFigures(),
      lagWhileStartingMs,
      stages,
      callsWithinLag: options.untilLag ? Math.max(0, ...withinLag) : undefined,
      audio,
      results,
      faults: { kinesisBroken, deepgramBroken, fragmentsLost, resumes, reconnects, unreadMs: counted.unreadMs },
      sessions: { started: started.length, unended: unended.length, ...daemon.said(started) },
      comparisons,
      notCompared,
    };
  }

  /** Plays one call, so that one-time loading and compilation do not count as the cost of calls. */
  async #warmUp(): Promise<void> {
    const { daemon, deepgram } = this.#setup;
    const { failure } = await this.#start(WARM_UP_CALL);
    if (failure !== undefined) throw new LoadFailed(`the daemon did not start the warm-up call: ${failure}`);
    const received = deepgram.order('received', { call: WARM_UP_CALL, audioMs: WARM_UP_AUDIO_MS }).then(() => true);
    if (!(await Promise.race([received, sleep(WARM_UP_TIMEOUT_MS, false, { ref: false })]))) {
      throw new LoadFailed(
        `less than ${WARM_UP_AUDIO_MS} ms of the warm-up call arrived within ${WARM_UP_TIMEOUT_MS} ms`,
      );
    }
    const unended = await this.#hangUp([WARM_UP_CALL]);
    if (unended.length > 0) throw new LoadFailed('the warm-up call did not end');
    if (!(await daemon.delivered(DELIVERY_TIMEOUT_MS)))
      throw new LoadFailed("the warm-up call's events did not arrive");
  }

  /** Starts --calls more at --ramp per second. Resolves with the lag of that time once all are answered. */
  async #startMore(): Promise<SpreadFigures> {
    const { calls, ramp } = this.#options;
    const { daemon, deepgram } = this.#setup;
    const first = this.#starts.length;
    this.#onProgress(`starting calls ${first + 1} to ${first + calls}`);
    await deepgram.order('begin');
    const before = cpuTimesOf(daemon.pid).totalMs;
    const beganMs = monotonicMs();
    const starting: Promise<Start>[] = [];
    for (let i = 0; i < calls; i++) {
      const waitMs = beganMs + (i / ramp) * MS_PER_SECOND - monotonicMs();
      if (waitMs > 0) await sleep(waitMs);
      starting.push(this.#start(first + i));
    }
    for (const start of await Promise.all(starting)) {
      this.#starts.push(start);
      if (start.failure === undefined) this.#latency.add(start.latencyMs);
    }
    this.#startCpuMs += cpuTimesOf(daemon.pid).totalMs - before;
    return (await deepgram.order('figures')).lagMs;
  }

  /** Begins a call, which then starts its session, as a contact flow does. */
  async #start(call: number): Promise<Start> {
    const { daemon, kinesis } = this.#setup;
    const { results, interims, plainStarts } = this.#options;
    const beganAtEpochMs = await kinesis.order('beginCall', call);
    if (plainStarts) return daemon.startSession(call);
    const relay = results ? (interims ? 'interims' : 'finals') : undefined;
    return daemon.startSession(call, { relay, beganAtEpochMs });
  }

  async #stage(idleRssBytes: number): Promise<StageFigures> {
    const { seconds, settle, faults, seed } = this.#options;
    const calls = this.#started().length;
    if (calls === 0) throw new LoadFailed(`no call could be started: ${this.#starts[0]?.failure}`);
    if (settle > 0) this.#onProgress(`running ${calls} calls for ${settle} s before they are measured`);
    await sleep(settle * MS_PER_SECOND);
    const durationMs = seconds * MS_PER_SECOND;
    this.#onProgress(`measuring ${calls} calls for ${seconds} s`);
    const planned = faults ? planFaults(calls, durationMs, seed) : [];
    const breaking = planned.map((fault) => this.#breakOff(fault));
    const figures = await measureStage(this.#setup, { calls, durationMs, idleRssBytes });
    await Promise.all(breaking);
    return figures;
  }

  /** Injects a fault at its time, if it can take effect then, and counts it. */
  async #breakOff({ call, of, properly, afterMs }: PlannedFault): Promise<void> {
    const { kinesis, deepgram } = this.#setup;
    await sleep(afterMs);
    await deepgram.order('willBreak', call);
    const order = { call, properly };
    const broken = {
      kinesis: () => kinesis.order('breakOff', order),
      deepgram: () => deepgram.order('breakOff', order),
      fragment: () => kinesis.order('loseFragment', call),
    };
    if (await broken[of]()) this.#broken[of]++;
  }

  /** Ends the calls; returns those whose sessions do not end. */
  async #hangUp(calls: readonly number[]): Promise<readonly number[]> {
    const { daemon, kinesis } = this.#setup;
    this.#onProgress(`ending ${calls.length === 1 ? 'a call' : `${calls.length} calls`}`);
    await kinesis.order('hangUp', calls);
    return daemon.ended(calls, END_TIMEOUT_MS);
  }

  #started(): number[] {
    return this.#starts.filter(({ failure }) => failure === undefined).map(({ call }) => call);
  }

  /** With unended sessions or unanswered starts, counts may differ by chance. Such a run has failed anyway. */
  #whyNotCompared(unended: readonly number[], isDelivered: boolean): string | undefined {
    if (this.#options.comparesMetrics === false) return 'another version may have others';
    if (this.#options.least) return 'the least relay counts nothing';
    if (unended.length > 0) return `${unended.length} sessions have not ended`;
    if (!isDelivered) return 'not all events of the results relay are delivered';
    const unanswered = this.#starts.filter(({ status, reason }) => status === undefined && reason === undefined);
    return unanswered.length > 0 ? `${unanswered.length} starts had no answer` : undefined;
  }

  #startFigures(): Judged['starts'] {
    const reasons = this.#starts.map(({ failure }) => failure).filter((failure) => failure !== undefined);
    return {
      asked: this.#starts.length,
      failed: reasons.length,
      reasons: reasons.slice(0, SHOWN_REASONS),
      latencyMs: this.#latency.figures(),
      cpuMsPerStart: this.#startCpuMs / this.#starts.length,
    };
  }
}

function machine(): Judged['machine'] {
  const processors = cpus();
  return {
    cores: processors.length,
    cpu: processors[0]?.model ?? 'unknown CPU',
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}
