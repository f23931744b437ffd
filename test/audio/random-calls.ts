import type { AudioBlock } from '../../daemon/audio/pcm.ts';
import { type Channel, SAMPLES_PER_MS } from '../../daemon/contract/audio-format.ts';
import { randomFrom } from '../support/random.ts';

/** How the times of blocks differ from a steady clock's. */
export type Jitter =
  | { readonly kind: 'exact' }
  | { readonly kind: 'uniform'; readonly ms: number }
  | { readonly kind: 'later'; readonly ms: number; readonly afterBlocks: number }
  | { readonly kind: 'normal'; readonly sdMs: number }
  | { readonly kind: 'sparse'; readonly ms: number; readonly everyNth: number };

/** Time of the call in which a track has no audio; channel 2: neither. */
export interface Absence {
  /** Blocks of the same track before it, among those that are present. */
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

/** A block, as delivered. */
export interface SpokenBlock {
  /** Its audio is made when it is asked for: that of hours would take too much memory. */
  readonly block: () => AudioBlock;
  readonly arrivedAtMs: number;
  /** Its number on the stream, from 0. */
  readonly fragment: number;
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
/** Samples that rise in steps, then start again at another value: never silence, and known at their place. */
export const RAMP = 512;

/** Every sample, each followed by its next one, and the first ramp's length of them again. */
const CYCLE = Int16Array.from(
  { length: SAMPLE_RANGE + RAMP },
  (_, place) => ((place * SAMPLE_STEP) % SAMPLE_RANGE) + 1,
);
/** Where each sample is in CYCLE, by the sample less one. */
const PLACES = new Int32Array(SAMPLE_RANGE);
for (let place = 0; place < SAMPLE_RANGE; place++) PLACES[(CYCLE[place] as number) - 1] = place;

/** The samples of a ramp. No two ramps of a channel within half an hour begin alike. */
export function rampOf(channel: Channel, ramp: number): Int16Array {
  const place = PLACES[(ramp * 3571 + channel * 16_001) % SAMPLE_RANGE] as number;
  return CYCLE.subarray(place, place + RAMP);
}

function pcmOf(channel: Channel, index: number, frames: number): Uint8Array {
  const out = new Int16Array(frames);
  for (let at = 0; at < frames; ) {
    const from = (index + at) % RAMP;
    const samples = rampOf(channel, Math.floor((index + at) / RAMP)).subarray(from, from + frames - at);
    out.set(samples, at);
    at += samples.length;
  }
  return new Uint8Array(out.buffer);
}

const clip = (ms: number) => Math.max(-60, Math.min(60, ms));

/** By how much the time of a track's nth block is off. */
function jitterOf(jitter: Jitter, random: () => number): (nth: number) => number {
  switch (jitter.kind) {
    case 'exact':
      return () => 0;
    case 'uniform':
      return () => (2 * random() - 1) * jitter.ms;
    case 'later':
      return (nth) => (nth < jitter.afterBlocks ? 0 : (2 * random() - 1) * jitter.ms);
    case 'normal':
      return () => clip(jitter.sdMs * Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random()));
    case 'sparse':
      return () => (random() * jitter.everyNth < 1 ? jitter.ms : 0);
  }
}

/** A block before it is delivered. */
interface Planned {
  readonly timeMs: number;
  readonly channel: Channel;
  readonly index: number;
  readonly truthMs: number;
}

/** Builds the call: its blocks in the order of delivery. */
export function speak(plan: CallPlan): SpokenCall {
  const wobble = jitterOf(plan.jitter, randomFrom(plan.seed));
  const [customer, agent] = [planTrack(plan, 0, wobble), planTrack(plan, 1, wobble)];
  const { blocks, repeatedMs } = deliver(plan, fragmentsOf(plan, [...customer.blocks, ...agent.blocks]));
  return { plan, blocks, runs: [customer.runs, agent.runs], samples: [customer.samples, agent.samples], repeatedMs };
}

function planTrack(plan: CallPlan, channel: Channel, wobble: (nth: number) => number) {
  const { blockFrames } = plan;
  let truthFrame = channel === plan.lateChannel ? Math.round(plan.lateMs * SAMPLES_PER_MS) : 0;
  let setMs = 0;
  let samples = 0;
  const runs: Run[] = [{ index: 0, truthFrame }];
  const blocks: Planned[] = [];
  const count = plan.blocks - Math.ceil(truthFrame / blockFrames);
  for (let nth = 0; nth < count; nth++) {
    const absentMs = absentBefore(plan, channel, nth);
    if (absentMs > 0) {
      truthFrame += Math.round(absentMs * SAMPLES_PER_MS);
      runs.push({ index: samples, truthFrame });
    }
    setMs += plan.sets.reduce((sum, { afterBlocks, byMs }) => (afterBlocks === nth ? sum + byMs : sum), 0);
    const truthMs = truthFrame / SAMPLES_PER_MS;
    const timeMs = Math.round(EPOCH_MS + truthMs * (1 + plan.ppm[channel] / 1e6) + setMs + wobble(nth));
    blocks.push({ timeMs, channel, index: samples, truthMs });
    samples += blockFrames;
    truthFrame += blockFrames;
  }
  return { blocks, runs, samples };
}

function absentBefore({ absences }: CallPlan, channel: Channel, nth: number): number {
  const here = absences.filter((one) => one.afterBlocks === nth && (one.channel === 2 || one.channel === channel));
  return nth === 0 ? 0 : here.reduce((sum, { ms }) => sum + ms, 0);
}

/** The blocks of each fragment, in its order of delivery, with the time at which the fragment ends. */
function fragmentsOf(plan: CallPlan, blocks: readonly Planned[]): { endMs: number; blocks: Planned[] }[] {
  const lengthMs = (plan.fragmentBlocks * plan.blockFrames) / SAMPLES_PER_MS;
  const fragments = Map.groupBy(blocks, ({ truthMs }) => Math.floor(truthMs / lengthMs));
  return [...fragments.entries()]
    .sort(([one], [other]) => one - other)
    .map(([nth, all]) => ({
      endMs: (nth + 1) * lengthMs,
      blocks: plan.isTrackMajor ? all : all.toSorted((a, b) => a.truthMs - b.truthMs || a.channel - b.channel),
    }));
}

function deliver(plan: CallPlan, fragments: readonly { endMs: number; blocks: Planned[] }[]) {
  const blockMs = plan.blockFrames / SAMPLES_PER_MS;
  const delivered: SpokenBlock[] = [];
  const sent: Planned[] = [];
  const repetitions = plan.repetitions.toSorted((a, b) => a.afterBlocks - b.afterBlocks);
  let repeatedMs = 0;
  let nowMs = 0;
  let number = 0;
  const send = (all: readonly Planned[], endMs: number) => {
    const fragment = number++;
    for (const { channel, timeMs, index, truthMs } of all) {
      nowMs = Math.max(nowMs, plan.isLive ? truthMs + blockMs : endMs);
      const arrivedAtMs = nowMs;
      const block = () => ({ channel, timeMs, pcm: pcmOf(channel, index, plan.blockFrames), arrivedAtMs });
      delivered.push({ block, arrivedAtMs, fragment });
    }
  };
  for (const { endMs, blocks } of fragments) {
    send(blocks, endMs);
    sent.push(...blocks);
    for (let next = repetitions[0]; next && next.afterBlocks * 2 <= sent.length; next = repetitions[0]) {
      repetitions.shift();
      const again = sent.slice(-2 * next.blocks);
      const ofCustomer = again.filter(({ channel }) => channel === 0).length;
      repeatedMs += Math.max(ofCustomer, again.length - ofCustomer) * blockMs;
      send(again, endMs);
    }
  }
  return { blocks: delivered, repeatedMs };
}
