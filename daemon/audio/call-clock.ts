import type { Millis } from '../runtime/clock.ts';

/** What a track's times have shown so far (track-clock.ts), in ms after the call's origin. */
export interface SavedTrackClock {
  readonly levelMs: Millis;
  readonly centerMs: Millis;
  readonly jitterMs: Millis;
  readonly blocks: number;
  readonly exactBlocks: number;
  /** Missing in what earlier versions saved. */
  readonly jitterBlocks?: number | undefined;
  readonly levelBlocks: number;
  readonly runBlocks: number;
  readonly hadGap: boolean;
  readonly driftMsPerHour?: number | undefined;
}

/** The time and the fingerprint of a block. */
export type BlockMark = readonly [timeMs: Millis, fingerprint: number];

/** Where a track stands on the call's clock, so that another process places what follows to the sample. */
export interface TrackPlace extends SavedTrackClock {
  /** The frame after its last sample; undefined before its first one. */
  readonly endFrame?: number | undefined;
  /** The other track's center when the last block was placed. */
  readonly otherCenterMs: Millis;
  /** Samples of a usual block, and of the last one. */
  readonly usualFrames: number;
  readonly lastFrames: number;
  /** The last blocks placed, the oldest first. */
  readonly lastBlocks: readonly BlockMark[];
}

/** Where both tracks stand, and how far the call had been taken. */
interface PlacedCall {
  readonly tracks: readonly [TrackPlace, TrackPlace];
  readonly takenFrames: number;
}

/** How the producer's times become the call's: what a later aligner needs to continue the same call. */
export interface CallClock {
  /** The producer's time of the call's first frame. */
  readonly originMs: Millis;
  /** Per channel, for versions that know no `placed`: audio beyond what the clock had time for, and misplacement. */
  readonly driftFrames: readonly [number, number];
  readonly delayFrames: readonly [number, number];
  /** Missing in what such a version wrote. */
  readonly placed?: PlacedCall | undefined;
}
