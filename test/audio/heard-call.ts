import { Aligner } from '../../daemon/audio/aligner.ts';
import { type Channel, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import type { Run, SpokenCall } from './random-calls.ts';
import { RAMP, rampOf } from './random-calls.ts';

const WAIT_MS = 200;
/** A clock set forward by more is followed; by less it reads as an absence. */
const LONGEST_SET_MS = 601_000;

/** A buffer that keeps the last seconds. */
export class SmallBuffer {
  readonly #frames = new Int32Array(2500 * SAMPLES_PER_MS);
  readonly #start: number;
  #end: number;

  /** @param start the frame at which it begins */
  constructor(start = 0) {
    this.#start = start;
    this.#end = start;
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

/** A run of a channel's samples, as output. */
interface HeardRun {
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
  /** The samples that it hears next, from the start of a ramp on. */
  #ramp: Int16Array;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#ramp = rampOf(channel, 0);
  }

  hear(words: Int32Array, fromFrame: number): void {
    const shift = this.#channel === 0 ? 16 : 0;
    let ramp = this.#ramp;
    let index = this.index;
    let place = index % RAMP;
    let wasSilent = this.#wasSilent;
    for (let i = 0; i < words.length; i++) {
      const sample = ((words[i] as number) << shift) >> 16;
      if (sample === ramp[place]) {
        if (wasSilent) this.runs.push({ index, frame: fromFrame + i });
        wasSilent = false;
        index++;
        place++;
        if (place < RAMP) continue;
        place = 0;
        ramp = rampOf(this.#channel, index / RAMP);
      } else if (sample === 0) {
        wasSilent = true;
      } else {
        this.fault ??= `channel ${this.#channel}: sample ${sample} at ${(fromFrame + i) / SAMPLES_PER_MS} ms, expected sample ${index}`;
        break;
      }
    }
    this.#ramp = ramp;
    this.index = index;
    this.#wasSilent = wasSilent;
  }
}

interface Heard {
  readonly ears: readonly [Ear, Ear];
  readonly frames: number;
  readonly repeatedMs: number;
  readonly worstLagMs: number;
  readonly worstLagAtMs: number;
}

/** Runs the call through an aligner, as a session does: blocks of one arrival are added, then all is taken. */
export function align({ blocks }: SpokenCall): Heard {
  const aligner = new Aligner(WAIT_MS, new SmallBuffer());
  const ears = [new Ear(0), new Ear(1)] as const;
  let frames = 0;
  let worstLagMs = 0;
  let worstLagAtMs = 0;
  let nowMs = 0;
  let quietMs = 0;
  const quietBefore = new Map<number, number>();
  const take = () => {
    for (let piece = aligner.take(250); piece; piece = aligner.take(250)) {
      ears[0].hear(piece.frames, frames);
      ears[1].hear(piece.frames, frames);
      frames += piece.frames.length;
      const sinceMs = piece.arrivedAtMs ?? nowMs;
      const lagMs = nowMs - sinceMs - (quietMs - (quietBefore.get(sinceMs) ?? quietMs));
      if (lagMs > worstLagMs) {
        worstLagMs = lagMs;
        worstLagAtMs = frames / SAMPLES_PER_MS;
      }
    }
  };
  for (const [i, { block, arrivedAtMs }] of blocks.entries()) {
    for (let { dueMs } = aligner; dueMs !== undefined && dueMs < arrivedAtMs; { dueMs } = aligner) {
      if (dueMs <= nowMs) throw new Error(`still due at ${dueMs}`);
      nowMs = dueMs;
      aligner.settle(nowMs);
      take();
    }
    // The last audio of one track waits for that of the other until there is any: nothing is decided meanwhile.
    if (aligner.dueMs === undefined) quietMs += arrivedAtMs - nowMs;
    nowMs = arrivedAtMs;
    quietBefore.set(nowMs, quietMs);
    aligner.add(block());
    if (nowMs === blocks[i + 1]?.arrivedAtMs) continue;
    take();
  }
  aligner.finish();
  take();
  return { ears, frames, repeatedMs: aligner.repeatedMs, worstLagMs, worstLagAtMs };
}

const ms = (frames: number) => Math.round((frames / SAMPLES_PER_MS) * 10) / 10;

/** What is wrong with the received call; empty when it is complete. */
export function faultsOf(call: SpokenCall, heard: Heard): string[] {
  const { plan } = call;
  const toleranceMs = toleranceOf(plan);
  const faults = ([0, 1] as const).flatMap((channel) => [
    ...samplesFaults(call, heard, channel),
    ...silenceFaults(call, heard, channel, toleranceMs),
  ]);
  const apart = furthestApart(call, heard);
  if (Math.abs(apart) > toleranceMs * SAMPLES_PER_MS) faults.push(`channels ${ms(apart)} ms apart`);
  const longer = heard.frames - expectedFrames(call);
  const isPlain = plan.absences.length + plan.sets.length === 0;
  const lengthMs = isPlain ? Math.min(toleranceMs, 100) : toleranceMs;
  if (Math.abs(longer) > lengthMs * SAMPLES_PER_MS) faults.push(`${ms(longer)} ms too long`);
  if (heard.repeatedMs !== call.repeatedMs) faults.push(`${heard.repeatedMs} ms of ${call.repeatedMs} repeated`);
  // One track's absence and the place of what follows in the other may be decided one after the other.
  if (heard.worstLagMs > 2 * WAIT_MS) faults.push(`lag ${heard.worstLagMs} at ${heard.worstLagAtMs}`);
  return faults;
}

/** How far silence may be from its true length and place, in ms: with exact times on the grid of blocks, not at all. */
function toleranceOf({ jitter, ppm, lateMs, absences, blockFrames }: SpokenCall['plan']): number {
  if (jitter.kind !== 'exact' || ppm.some((each) => each !== 0)) return 120;
  const isOnGrid = lateMs % 64 === 0 && absences.every((absence) => absence.ms % 64 === 0) && blockFrames === 512;
  return isOnGrid ? 1 : 65;
}

function samplesFaults({ samples }: SpokenCall, { ears }: Heard, channel: Channel): string[] {
  const { fault, index } = ears[channel];
  if (fault) return [fault];
  return index === samples[channel] ? [] : [`channel ${channel}: ${index} of ${samples[channel]} samples`];
}

/** Silence in the wrong place, too long, too short, or missing. */
function silenceFaults(call: SpokenCall, { ears }: Heard, channel: Channel, toleranceMs: number): string[] {
  const faults: string[] = [];
  const truth = call.runs[channel];
  const gaps = new Map(truth.slice(1).map((run, i) => [run.index, run.truthFrame - truthEnd(truth, i, run.index)]));
  const { runs } = ears[channel];
  for (const [i, run] of runs.entries()) {
    const before = runs[i - 1];
    if (!before) continue;
    const silence = run.frame - before.frame - (run.index - before.index);
    const gap = gaps.get(run.index) ?? (isSetAt(call, run.index) ? silence : 0);
    const isTooFar = Math.abs(silence - gap) > toleranceMs * SAMPLES_PER_MS;
    if (isTooFar || (gap === 0 && silence > 0))
      faults.push(`channel ${channel}: ${ms(silence)} ms of silence for ${ms(gap)} ms at ${ms(run.frame)} ms`);
    gaps.delete(run.index);
  }
  for (const [index, gap] of gaps) faults.push(`channel ${channel}: no silence for ${ms(gap)} ms at sample ${index}`);
  return faults;
}

/** The call's length: that of its longer track, plus the times by which its clock was set forward. */
function expectedFrames({ plan, runs, samples }: SpokenCall): number {
  const ends = ([0, 1] as const).map((channel) => truthEnd(runs[channel], runs[channel].length - 1, samples[channel]));
  const sets = plan.sets.map(({ byMs }) => (byMs > LONGEST_SET_MS ? 0 : Math.max(0, byMs)));
  return Math.max(...ends) + sets.reduce((sum, each) => sum + each, 0) * SAMPLES_PER_MS;
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
  const errors = [0, 1].map((c) =>
    errorsOf(call.runs[c as Channel], heard.ears[c as Channel].runs, call.samples[c as Channel]),
  );
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
  const cuts = [...new Set([...truth.map(({ index }) => index), ...heard.map(({ index }) => index)])].sort(
    (a, b) => a - b,
  );
  return cuts.map((index, i) => {
    const t = truth.findLast((run) => run.index <= index) as Run;
    const h = heard.findLast((run) => run.index <= index) as HeardRun;
    const from = t.truthFrame + index - t.index;
    const error = (h?.frame ?? 0) + index - (h?.index ?? 0) - from;
    return { from, to: from + (cuts[i + 1] ?? samples) - index, error };
  });
}
