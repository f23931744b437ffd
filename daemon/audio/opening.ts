import { AGENT, BYTES_PER_SAMPLE, type Channel, CUSTOMER, SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import type { AudioBlock } from './pcm.ts';
import { LONGEST_GAP_FRAMES, LONGEST_LEAD_FRAMES } from './placed-track.ts';
import { EXACT_MS, WIDEST_JITTER_MS } from './track-clock.ts';

/** This many times agree only if they are exact. */
const EXACT_BLOCKS = 3;
/** More of them would only show the clock's drift. */
const MOST_START_BLOCKS = 16;
/** With inexact times, tracks that begin so close to each other begin together. */
const TOGETHER_MS: Millis = 60;
/** Half a minute of Connect's blocks, and an end even of empty ones. */
const MOST_BLOCKS = 500;

/** When a track begins, by the times of its first blocks. */
interface TrackStart {
  readonly channel: Channel;
  readonly startMs: Millis;
  readonly blocks: number;
  /** True if the times agree, as far as they can be compared. */
  readonly isExact: boolean;
}

/** Where a track begins on the call's clock, and its clock's level and center there. */
interface Beginning {
  readonly channel: Channel;
  readonly startFrame: number;
  readonly levelMs: Millis;
  readonly levelBlocks: number;
  readonly centerMs: Millis;
}

/** How the call's clock begins. */
interface Opened {
  readonly originMs: Millis;
  readonly tracks: readonly Beginning[];
}

/**
 * Where the call begins, by its first blocks, in the order of their arrival; undefined while more of them are needed:
 * of both tracks, or so much of one that it has waited long enough for the other.
 */
export function open(
  blocks: readonly AudioBlock[],
  waitMs: Millis,
  nowMs: Millis,
  isFinished: boolean,
): Opened | undefined {
  const [first] = blocks;
  if (!first) return undefined;
  const customer = startOf(blocks, CUSTOMER);
  const agent = startOf(blocks, AGENT);
  const audioFrames = [framesOf(blocks, CUSTOMER), framesOf(blocks, AGENT)] as const;
  const most = Math.max(...audioFrames);
  const waitFrames = waitMs * SAMPLES_PER_MS;
  const areTogether = customer?.isExact && agent?.isExact && customer.startMs === agent.startMs;
  const isEnough =
    areTogether ||
    Math.min(...audioFrames) >= waitFrames ||
    nowMs >= openDueMs(blocks, waitMs) ||
    most > LONGEST_LEAD_FRAMES ||
    blocks.length > MOST_BLOCKS;
  return isEnough || isFinished ? openedBy([customer, agent].filter((start) => start !== undefined)) : undefined;
}

/**
 * When the call begins if no further block arrives, because one track has waited long enough for the other; Infinity
 * before that.
 */
export function openDueMs(blocks: readonly AudioBlock[], waitMs: Millis): Millis {
  const [first] = blocks;
  const most = Math.max(framesOf(blocks, CUSTOMER), framesOf(blocks, AGENT));
  return first && most >= waitMs * SAMPLES_PER_MS ? first.arrivedAtMs + waitMs : Infinity;
}

/** When the channel's first sample was said; undefined when none of the blocks is of that channel. */
function startOf(blocks: readonly AudioBlock[], channel: Channel): TrackStart | undefined {
  const startsMs: Millis[] = [];
  let frames = 0;
  for (const block of blocks) {
    if (block.channel !== channel) continue;
    const startMs = block.timeMs - frames / SAMPLES_PER_MS;
    // Audio is missing before this block.
    if (Math.abs(startMs - (startsMs[0] ?? startMs)) > WIDEST_JITTER_MS) break;
    startsMs.push(startMs);
    frames += block.pcm.length / BYTES_PER_SAMPLE;
    if (startsMs.length === MOST_START_BLOCKS) break;
  }
  const [firstMs] = startsMs;
  if (firstMs === undefined) return undefined;
  const isExact = startsMs.slice(0, EXACT_BLOCKS).every((ms) => Math.abs(ms - firstMs) <= EXACT_MS);
  const meanMs = startsMs.reduce((sum, ms) => sum + ms, 0) / startsMs.length;
  const isFirstAsGood = isExact || startsMs.length < EXACT_BLOCKS;
  return { channel, startMs: isFirstAsGood ? firstMs : meanMs, blocks: startsMs.length, isExact: isFirstAsGood };
}

function openedBy(starts: readonly TrackStart[]): Opened {
  const earliestMs = Math.min(...starts.map(({ startMs }) => startMs));
  const latestMs = Math.max(...starts.map(({ startMs }) => startMs));
  const spreadMs = latestMs - earliestMs;
  // Two clocks that have nothing to do with each other.
  const areApart = spreadMs * SAMPLES_PER_MS > LONGEST_GAP_FRAMES;
  const areTogether = areApart || (spreadMs <= TOGETHER_MS && !starts.every(({ isExact }) => isExact));
  const centerMs = areTogether && !areApart ? (earliestMs + latestMs) / 2 : earliestMs;
  const originMs = Math.round(centerMs);
  return { originMs, tracks: starts.map((start) => beginningOf(start)) };

  function beginningOf({ channel, startMs, blocks }: TrackStart): Beginning {
    const startFrame = areTogether ? 0 : Math.round((startMs - earliestMs) * SAMPLES_PER_MS);
    const levelMs = startMs - originMs - startFrame / SAMPLES_PER_MS;
    return {
      channel,
      startFrame,
      levelMs,
      levelBlocks: blocks,
      centerMs: areApart ? levelMs : centerMs - originMs,
    };
  }
}

function framesOf(blocks: readonly AudioBlock[], of: Channel): number {
  return blocks.reduce((sum, { channel, pcm }) => (channel === of ? sum + pcm.length / BYTES_PER_SAMPLE : sum), 0);
}
