import type { BlockMark, CallClock, TrackPlace } from './call-clock.ts';

/**
 * A call's clock in plain numbers, undefined ones as NaN: a session keeps several clocks, and one takes 350 bytes like
 * this and 1,400 as objects. JSON has null for NaN.
 */
export type PackedClock = readonly number[];

const CALL_FIELDS = 6;
/** Their last one is the number of blocks that follow, each of two numbers. */
const TRACK_FIELDS = 15;
const MARK_FIELDS = 2;

/** @param used a packed clock that is no longer needed: its memory is used again if it suffices */
export function packed({ originMs, driftFrames, delayFrames, placed }: CallClock, used?: PackedClock): PackedClock {
  const tracks = placed?.tracks ?? [];
  const marks = tracks.reduce((sum, { lastBlocks }) => sum + lastBlocks.length, 0);
  const length = CALL_FIELDS + tracks.length * TRACK_FIELDS + marks * MARK_FIELDS;
  // Of the final size, and filled with a double: V8 stores neither spare room nor boxed numbers.
  const numbers = (used?.length === length ? (used as number[]) : new Array<number>(length)).fill(Number.NaN);
  numbers[0] = originMs;
  numbers[1] = driftFrames[0];
  numbers[2] = driftFrames[1];
  numbers[3] = delayFrames[0];
  numbers[4] = delayFrames[1];
  if (placed) numbers[5] = placed.takenFrames;
  let at = CALL_FIELDS;
  for (const track of tracks) at = putTrack(numbers, at, track);
  return numbers;
}

/** The clock that was packed; without the tracks' places if they are not as `packed` writes them. */
export function unpacked(numbers: PackedClock): CallClock {
  const [originMs, drift0, drift1, delay0, delay1, takenFrames] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const clock: CallClock = { originMs, driftFrames: [drift0, drift1], delayFrames: [delay0, delay1] };
  const secondAt = afterTrack(numbers, CALL_FIELDS);
  if (afterTrack(numbers, secondAt) !== numbers.length) return clock;
  const tracks = [trackAt(numbers, CALL_FIELDS), trackAt(numbers, secondAt)] as const;
  return { ...clock, placed: { tracks, takenFrames } };
}

/** Returns the index after it. */
function putTrack(numbers: number[], at: number, track: TrackPlace): number {
  if (track.endFrame !== undefined) numbers[at] = track.endFrame;
  numbers[at + 1] = track.levelMs;
  numbers[at + 2] = track.centerMs;
  numbers[at + 3] = track.jitterMs;
  numbers[at + 4] = track.blocks;
  numbers[at + 5] = track.exactBlocks;
  numbers[at + 6] = track.levelBlocks;
  numbers[at + 7] = track.runBlocks;
  numbers[at + 8] = Number(track.hadGap);
  if (track.driftMsPerHour !== undefined) numbers[at + 9] = track.driftMsPerHour;
  numbers[at + 10] = track.otherCenterMs;
  numbers[at + 11] = track.usualFrames;
  numbers[at + 12] = track.lastFrames;
  if (track.jitterBlocks !== undefined) numbers[at + 13] = track.jitterBlocks;
  numbers[at + 14] = track.lastBlocks.length;
  let next = at + TRACK_FIELDS;
  for (const [timeMs, fingerprint] of track.lastBlocks) {
    numbers[next++] = timeMs;
    numbers[next++] = fingerprint;
  }
  return next;
}

function trackAt(numbers: PackedClock, at: number): TrackPlace {
  const field = (nth: number) => numbers[at + nth] as number;
  const known = (nth: number) => (Number.isNaN(field(nth)) ? undefined : field(nth));
  return {
    endFrame: known(0),
    levelMs: field(1),
    centerMs: field(2),
    jitterMs: field(3),
    blocks: field(4),
    exactBlocks: field(5),
    levelBlocks: field(6),
    runBlocks: field(7),
    hadGap: field(8) === 1,
    driftMsPerHour: known(9),
    otherCenterMs: field(10),
    usualFrames: field(11),
    lastFrames: field(12),
    jitterBlocks: known(13),
    lastBlocks: Array.from({ length: marksOf(numbers, at) }, (_, nth): BlockMark => {
      const markAt = TRACK_FIELDS + nth * MARK_FIELDS;
      return [field(markAt), field(markAt + 1)];
    }),
  };
}

/** Returns the index after the track that begins at `at`; NaN if no track is there. */
function afterTrack(numbers: PackedClock, at: number): number {
  return at + TRACK_FIELDS + marksOf(numbers, at) * MARK_FIELDS;
}

function marksOf(numbers: PackedClock, trackAt: number): number {
  return numbers[trackAt + TRACK_FIELDS - 1] as number;
}
