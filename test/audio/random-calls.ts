import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { type Channel, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';

/** How the times of blocks differ from a steady clock's. */
export type Jitter =
  | { readonly kind: 'exact' }
  | { readonly kind: 'uniform'; readonly ms: number }
  | { readonly kind: 'normal'; readonly sdMs: number }
  | { readonly kind: 'sparse'; readonly ms: number; readonly everyNth: number };

/** Time of the call in which a track has no audio; channel 2: neither. */
export interface Absence {
  /** Blocks of the track before it, of those that are there. */
  readonly afterBlocks: number;
  readonly ms: number;
  readonly channel: 0 | 1 | 2;
}

/** What is drawn of a call. */
export interface CallPlan {
  readonly seed: number;
  readonly blocks: number;
  readonly blockFrames: number;
  readonly jitter: Jitter;
  readonly ppm: readonly [number, number];
  readonly lateMs: number;
  readonly lateChannel: Channel;
  readonly absences: readonly Absence[];
  /** The producer's clock is set, for both tracks. */
  readonly sets: readonly { readonly afterBlocks: number; readonly byMs: number }[];
  /** The producer sends the last blocks again. */
  readonly repetitions: readonly { readonly afterBlocks: number; readonly blocks: number }[];
  readonly fragmentBlocks: number;
  readonly isTrackMajor: boolean;
  readonly isLive: boolean;
}

/** A block as it is delivered, and where its audio was in truth. */
export interface SpokenBlock {
  readonly block: AudioBlock;
  readonly fragment: number;
  readonly isRepetition: boolean;
}

/** Where the audio of a track from sample `index` on was in truth. */
export interface Run {
  readonly index: number;
  readonly truthFrame: number;
}

export interface SpokenCall {
  readonly plan: CallPlan;
  readonly blocks: readonly SpokenBlock[];
  readonly runs: readonly [readonly Run[], readonly Run[]];
  readonly samples: readonly [number, number];
  readonly repeatedMs: number;
}

const EPOCH_MS = 1_790_000_000_000;
const SAMPLE_STEP = 7919;
const SAMPLE_RANGE = 32_000;
/** Samples that go up in steps before they begin anew, somewhere else. */
export const RAMP = 512;

/** Where in its range a ramp begins: no two ramps of a channel within half an hour begin alike. */
function rampStart(channel: Channel, ramp: number): number {
  return (ramp * 3571 + channel * 16_001) % SAMPLE_RANGE;
}

/** The sample at `index` of a channel: never silence, and known at its place. */
export function sampleAt(channel: Channel, index: number): number {
  return ((rampStart(channel, Math.floor(index / RAMP)) + (index % RAMP) * SAMPLE_STEP) % SAMPLE_RANGE) + 1;
}

/** The sample after `sample` unless a new ramp begins. */
export function nextSample(sample: number): number {
  return sample + SAMPLE_STEP > SAMPLE_RANGE ? sample + SAMPLE_STEP - SAMPLE_RANGE : sample + SAMPLE_STEP;
}

export function fillSamples(out: Int16Array, channel: Channel, index: number): void {
  let sample = 0;
  for (let i = 0; i < out.length; i++) {
    sample = i === 0 || (index + i) % RAMP === 0 ? sampleAt(channel, index + i) : nextSample(sample);
    out[i] = sample;
  }
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const clip = (ms: number) => Math.max(-60, Math.min(60, ms));

function jitterOf(jitter: Jitter, random: () => number): () => number {
  switch (jitter.kind) {
    case 'exact':
      return () => 0;
    case 'uniform':
      return () => (2 * random() - 1) * jitter.ms;
    case 'normal':
      return () => clip(jitter.sdMs * Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random()));
    case 'sparse':
      return () => (random() * jitter.everyNth < 1 ? jitter.ms : 0);
  }
}

/** Says the call: its blocks in the order of delivery, lazily built in one go. */
export function speak(plan: CallPlan): SpokenCall {
  const { blockFrames, fragmentBlocks } = plan;
  const blockMs = blockFrames / SAMPLES_PER_MS;
  const random = randomOf(plan.seed);
  const wobble = jitterOf(plan.jitter, random);
  const runs: [Run[], Run[]] = [[], []];
  const samples: [number, number] = [0, 0];
  /** Per fragment and channel the blocks. */
  const fragments: { timeMs: number; channel: Channel; index: number; truthMs: number }[][] = [];
  for (const channel of [0, 1] as const) {
    let truthFrame = channel === plan.lateChannel ? Math.round(plan.lateMs * SAMPLES_PER_MS) : 0;
    let setMs = 0;
    runs[channel].push({ index: 0, truthFrame });
    const slots = plan.blocks - Math.ceil(truthFrame / blockFrames);
    for (let nth = 0; nth < slots; nth++) {
      const absentMs = plan.absences
        .filter((one) => one.afterBlocks === nth && (one.channel === 2 || one.channel === channel))
        .reduce((sum, { ms }) => sum + ms, 0);
      if (absentMs > 0 && nth > 0) {
        truthFrame += Math.round(absentMs * SAMPLES_PER_MS);
        runs[channel].push({ index: samples[channel], truthFrame });
      }
      for (const set of plan.sets) {
        if (set.afterBlocks !== nth) continue;
        setMs += set.byMs;
      }
      const truthMs = truthFrame / SAMPLES_PER_MS;
      const timeMs = Math.round(EPOCH_MS + truthMs * (1 + (plan.ppm[channel] as number) / 1e6) + setMs + wobble());
      const fragment = Math.floor(truthMs / (fragmentBlocks * blockMs));
      fragments[fragment] ??= [];
      fragments[fragment].push({ timeMs, channel, index: samples[channel], truthMs });
      samples[channel] += blockFrames;
      truthFrame += blockFrames;
    }
  }
  const blocks: SpokenBlock[] = [];
  let repeatedMs = 0;
  let number = 0;
  let nowMs = 0;
  const built = (one: { timeMs: number; channel: Channel; index: number; truthMs: number }, fragmentEndMs: number) => {
    const pcm = new Int16Array(blockFrames);
    fillSamples(pcm, one.channel, one.index);
    nowMs = Math.max(nowMs, plan.isLive ? one.truthMs + blockMs : fragmentEndMs);
    return {
      channel: one.channel,
      timeMs: one.timeMs,
      pcm: new Uint8Array(pcm.buffer),
      arrivedAtMs: nowMs,
    };
  };
  const delivered: (typeof fragments)[number] = [];
  const repetitions = [...plan.repetitions].sort((a, b) => a.afterBlocks - b.afterBlocks);
  for (const [nth, fragment] of fragments.entries()) {
    if (!fragment) continue;
    const endMs = (nth + 1) * fragmentBlocks * blockMs;
    const ordered = plan.isTrackMajor
      ? fragment
      : fragment.toSorted((a, b) => a.truthMs - b.truthMs || a.channel - b.channel);
    const fragmentNumber = number++;
    for (const one of ordered) {
      blocks.push({ block: built(one, endMs), fragment: fragmentNumber, isRepetition: false });
      delivered.push(one);
    }
    while (repetitions[0] && repetitions[0].afterBlocks * 2 <= delivered.length) {
      const again = delivered.slice(-2 * (repetitions.shift()?.blocks ?? 0));
      const perChannel = [0, 1].map((channel) => again.filter((one) => one.channel === channel).length);
      repeatedMs += Math.max(...perChannel) * blockMs;
      const repeatNumber = number++;
      for (const one of again) {
        blocks.push({ block: built(one, endMs), fragment: repeatNumber, isRepetition: true });
      }
    }
  }
  return { plan, blocks, runs, samples, repeatedMs };
}
