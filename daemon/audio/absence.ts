import type { Millis } from '../runtime/clock.ts';
import { EXACT_MS, JITTER_MS, WIDEST_JITTER_MS } from './track-clock.ts';

/** What is known of blocks that are later than their track's end. */
export interface Lateness {
  /** How late they are: by the first block's time, and by the times of all of them. */
  readonly firstMs: Millis;
  readonly meanMs: Millis;
  readonly blocks: number;
  /** Blocks since the gap before: they are late by the times of these. */
  readonly runBlocks: number;
  /** True if their times agree, and no inexact ones were seen before. */
  readonly isExact: boolean;
  /** Exact times seen of both tracks, these included. */
  readonly exactBlocks: number;
  /** True if exactly whole blocks would be missing (block-grid.ts). */
  readonly isMissingBlocks: boolean;
  /** What may be inexactness by the deviations seen before. */
  readonly inexactBoundMs: Millis;
}

/** Inexact times do not produce this many exact ones by chance. */
const FEW_EXACT_BLOCKS = 4;
const EXACT_BLOCKS = 12;
/** This many exact times show that inexact ones are rare. */
const MANY_EXACT_BLOCKS = 200;
/** The mean of fewer times is hardly better than a single one. */
const MEAN_BLOCKS = 3;
/** Fewer late blocks may have overtaken one of their fragment that is still to come. */
const CERTAIN_BLOCKS = 4;
/** A single inexact time among exact ones can look like this, and several in a row rarely do. */
const SLIGHT_MS: Millis = JITTER_MS + EXACT_MS;

/**
 * Whether late blocks follow an absence, continue their track, continue it by a clock that was set, or may do any of
 * these: then the next ones tell.
 */
export function judge(late: Lateness): 'absence' | 'none' | 'set' | 'open' {
  if (late.isExact) {
    if (late.exactBlocks >= exactBlocksNeeded(late) || late.meanMs > WIDEST_JITTER_MS) return 'absence';
    return late.firstMs <= SLIGHT_MS && late.blocks >= MEAN_BLOCKS ? 'set' : 'open';
  }
  const boundMs = late.blocks < MEAN_BLOCKS ? WIDEST_JITTER_MS : late.inexactBoundMs;
  return late.meanMs > boundMs ? 'absence' : 'none';
}

/** True if no further block could change that they follow an absence, and where they belong. */
export function isCertain(late: Lateness): boolean {
  if (!late.isExact || late.blocks < CERTAIN_BLOCKS || late.exactBlocks < exactBlocksNeeded(late)) return false;
  return late.isMissingBlocks || late.firstMs > WIDEST_JITTER_MS;
}

function exactBlocksNeeded({ firstMs, blocks, runBlocks, isMissingBlocks }: Lateness): number {
  if (isMissingBlocks) return FEW_EXACT_BLOCKS;
  if (firstMs <= SLIGHT_MS) return Math.min(blocks, runBlocks) >= MEAN_BLOCKS ? MANY_EXACT_BLOCKS : Infinity;
  return EXACT_BLOCKS;
}
