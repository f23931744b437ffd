import { Aligner } from '../../daemon/audio/aligner.ts';
import { type Channel, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import type { Run, SpokenCall } from './random-calls.ts';
import { nextSample, RAMP, sampleAt } from './random-calls.ts';

const WAIT_MS = 200;

/** A tape that keeps the last seconds. */
export class SmallTape {
  readonly #frames = new Int32Array(2500 * SAMPLES_PER_MS);
  #end: number;
  readonly #start: number;
  constructor(start = 0) {
    this.#end = start;
    this.#start = start;
  }
  reserve(frames: number): Int32Array {
    const at = this.#end % this.#frames.length;
    const room = this.#frames.subarray(at, Math.min(this.#frames.length, at + frames));
    this.#end += room.length;
    return room;
  }
  sampleAt(frame: number, channel: Channel): number | undefined {
    if (frame < this.#start || frame < this.#end - this.#frames.length || frame >= this.#end) return undefined;
    const word = this.#frames[frame % this.#frames.length] as number;
    return channel === 0 ? word & 0xffff : word >>> 16;
  }
}

/** A run of a channel's samples as it came out. */
export interface HeardRun {
  readonly index: number;
  readonly frame: number;
}

/** One channel of what comes out: its samples must be the next ones, or silence. */
export class Ear {
  readonly runs: HeardRun[] = [];
  index = 0;
  fault: string | undefined;
  readonly #channel: Channel;
  #wasSilent = true;
  #expected: number;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#expected = sampleAt(channel, 0);
  }

  hear(words: Int32Array, fromFrame: number): void {
    const shift = this.#channel === 0 ? 16 : 0;
    let expected = this.#expected;
    let index = this.index;
    let wasSilent = this.#wasSilent;
    for (let i = 0; i < words.length; i++) {
      const sample = ((words[i] as number) << shift) >> 16;
      if (sample === expected) {
        if (wasSilent) this.runs.push({ index, frame: fromFrame + i });
        wasSilent = false;
        index++;
        expected = index % RAMP === 0 ? sampleAt(this.#channel, index) : nextSample(expected);
      } else if (sample === 0) {
        wasSilent = true;
      } else {
        this.fault ??= `channel ${this.#channel}: sample ${sample} at ${(fromFrame + i) / SAMPLES_PER_MS} ms, expected sample ${index}`;
        break;
      }
    }
    this.#expected = expected;
    this.index = index;
    this.#wasSilent = wasSilent;
  }
}

export interface Heard {
  readonly ears: readonly [Ear, Ear];
  readonly frames: number;
  readonly holeMs: number;
  readonly repeatedMs: number;
  readonly worstLagMs: number;
  readonly worstLagAtMs: number;
}

/** Runs the call through an aligner, as a session does: blocks of one arrival are added, then all is taken. */
export function align({ blocks }: SpokenCall): Heard {
  const aligner = new Aligner(WAIT_MS, new SmallTape());
  const ears = [new Ear(0), new Ear(1)] as const;
  let frames = 0;
  let worstLagMs = 0;
  let worstLagAtMs = 0;
  let nowMs = 0;
  let stalledMs = 0;
  const stalledBefore = new Map<number, number>();
  const take = () => {
    for (let piece = aligner.take(250); piece; piece = aligner.take(250)) {
      const words = new Int32Array(piece.pcm.buffer, piece.pcm.byteOffset, piece.pcm.length / 4);
      ears[0].hear(words, frames);
      ears[1].hear(words, frames);
      frames += words.length;
      const sinceMs = piece.arrivedAtMs ?? nowMs;
      const lagMs = nowMs - sinceMs - (stalledMs - (stalledBefore.get(sinceMs) ?? stalledMs));
      if (lagMs > worstLagMs) {
        worstLagMs = lagMs;
        worstLagAtMs = frames / SAMPLES_PER_MS;
      }
    }
  };
  for (const [i, { block }] of blocks.entries()) {
    const dueMs = aligner.dueMs ?? Infinity;
    if (dueMs < block.arrivedAtMs) {
      nowMs = dueMs;
      aligner.settle(dueMs);
      take();
    }
    // Audio that waits for the other track while nothing arrives is not what is measured here.
    stalledMs += Math.max(0, block.arrivedAtMs - nowMs - 64);
    nowMs = block.arrivedAtMs;
    stalledBefore.set(nowMs, stalledMs);
    aligner.add(block);
    if (nowMs === blocks[i + 1]?.block.arrivedAtMs) continue;
    take();
  }
  aligner.finish();
  take();
  return { ears, frames, holeMs: aligner.holeMs, repeatedMs: aligner.repeatedMs, worstLagMs, worstLagAtMs };
}

const ms = (frames: number) => Math.round((frames / SAMPLES_PER_MS) * 10) / 10;

/** What is wrong with what was heard of the call. */
export function faultsOf(call: SpokenCall, heard: Heard): string[] {
  const faults: string[] = [];
  const { plan } = call;
  const isExact = plan.jitter.kind === 'exact' && plan.ppm.every((ppm) => ppm === 0);
  const isOnGrid = plan.lateMs % 64 === 0 && plan.absences.every(({ ms }) => ms % 64 === 0) && plan.blockFrames === 512;
  const exactMs = isOnGrid ? 1 : 65;
  const toleranceMs = isExact ? exactMs : 120;
  for (const channel of [0, 1] as const) {
    const ear = heard.ears[channel];
    if (ear.fault) faults.push(ear.fault);
    else if (ear.index !== call.samples[channel]) faults.push(`channel ${channel}: ${ear.index} of ${call.samples[channel]} samples`);
    const runs = call.runs[channel];
    const gaps = new Map(runs.slice(1).map((run, i) => [run.index, run.truthFrame - truthEnd(runs, i, run.index)]));
    for (const [i, run] of ear.runs.entries()) {
      const before = ear.runs[i - 1];
      if (!before) continue;
      const silence = run.frame - before.frame - (run.index - before.index);
      const gap = gaps.get(run.index);
      if (gap === undefined && !isSetAt(call, run.index)) faults.push(`channel ${channel}: ${ms(silence)} ms of silence at ${ms(run.frame)} ms, inside continuous audio`);
      else if (gap !== undefined && Math.abs(silence - gap) > toleranceMs * SAMPLES_PER_MS)
        faults.push(`channel ${channel}: ${ms(silence)} ms of silence for ${ms(gap)} at ${ms(run.frame)} ms`);
      gaps.delete(run.index);
    }
    for (const [index, gap] of gaps) faults.push(`channel ${channel}: no silence for ${ms(gap)} ms missing at sample ${index}`);
  }
  const apart = furthestApart(call, heard);
  if (Math.abs(apart) > (isExact ? exactMs : 120) * SAMPLES_PER_MS) faults.push(`channels ${ms(apart)} ms apart`);
  const truthFrames = Math.max(...[0, 1].map((c) => truthEnd(call.runs[c as Channel], call.runs[c as Channel].length - 1, call.samples[c as Channel])));
  const setFrames = plan.sets.reduce((sum, { byMs }) => sum + (byMs > 601_000 ? 0 : Math.max(0, byMs)), 0) * SAMPLES_PER_MS;
  const longer = heard.frames - truthFrames - setFrames;
  if (Math.abs(longer) > (isExact ? exactMs : plan.absences.length + plan.sets.length > 0 ? 120 : 100) * SAMPLES_PER_MS) faults.push(`${ms(longer)} ms too long`);
  if (heard.repeatedMs !== call.repeatedMs) faults.push(`${heard.repeatedMs} ms of ${call.repeatedMs} repeated`);
  if (plan.isLive && heard.worstLagMs > 2 * WAIT_MS) faults.push(`lag ${heard.worstLagMs} at ${heard.worstLagAtMs}`);
  return faults;
}

function isSetAt(call: SpokenCall, index: number): boolean {
  return call.plan.sets.some(({ afterBlocks }) => afterBlocks * call.plan.blockFrames === index);
}

function truthEnd(runs: readonly Run[], nth: number, index: number): number {
  const run = runs[nth] as Run;
  return run.truthFrame + index - run.index;
}

/** By how much the misplacements of the channels differ where that is most. */
function furthestApart(call: SpokenCall, heard: Heard): number {
  const errors = [0, 1].map((c) => errorsOf(call.runs[c as Channel], heard.ears[c as Channel].runs, call.samples[c as Channel]));
  let most = 0;
  for (const a of errors[0] ?? []) {
    for (const b of errors[1] ?? []) {
      if (a.to <= b.from || b.to <= a.from) continue;
      if (Math.abs(a.error - b.error) > Math.abs(most)) most = a.error - b.error;
    }
  }
  return most;
}

function errorsOf(truth: readonly Run[], heard: readonly HeardRun[], samples: number) {
  const cuts = [...new Set([...truth.map(({ index }) => index), ...heard.map(({ index }) => index)])].sort((a, b) => a - b);
  return cuts.map((index, i) => {
    const t = truth.findLast((run) => run.index <= index) as Run;
    const h = heard.findLast((run) => run.index <= index) as HeardRun;
    const from = t.truthFrame + index - t.index;
    const error = (h?.frame ?? 0) + index - (h?.index ?? 0) - from;
    return { from, to: from + (cuts[i + 1] ?? samples) - index, error };
  });
}
