import { BYTES_PER_SAMPLE, SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import { isCertain, judge, type Lateness } from './absence.ts';
import type { CallBuffer } from './call-buffer.ts';
import type { BlockMark } from './call-clock.ts';
import { HeldBlocks } from './held-blocks.ts';
import { type AudioBlock, repeatsItself } from './pcm.ts';
import type { Call, PlacedTrack } from './placed-track.ts';
import { fingerprintOf, RecentBlocks } from './recent-blocks.ts';
import { Rejoin } from './rejoin.ts';
import { EXACT_MS, JITTER_MS, WIDEST_JITTER_MS } from './track-clock.ts';

/** A later process recognizes the place by these blocks. */
const REJOIN_BLOCKS = 2;

/**
 * Decides for each block of a track whether it continues the track, follows a gap, or was sent before, and holds it
 * while that, or its place, is open (README.md).
 */
export class BlockPlacer {
  /** When the last block arrived. */
  lastArrivedAtMs: Millis = -Infinity;
  /** Audio that was sent again and left out. */
  repeatedFrames = 0;
  readonly placed: PlacedTrack;
  readonly #call: Call;
  readonly #waitMs: Millis;
  readonly #buffer: CallBuffer;
  readonly #recent = new RecentBlocks();
  readonly #held = new HeldBlocks();
  /** Blocks that arrived before the held ones. */
  #beforeHeld = 0;
  #otherRecent = this.#recent;
  /** True while the last block, or a part of it, was left out for its samples: a repetition that is cut into other blocks. */
  #hasJustCut = false;
  #rejoin: Rejoin | undefined;
  /** Where to continue the call by times alone; 0 when the track has continued. */
  #rejoinFrame = 0;

  /** @param waitMs how much audio is held, and how long, for a decision */
  constructor(placed: PlacedTrack, call: Call, waitMs: Millis, buffer: CallBuffer) {
    this.placed = placed;
    this.#call = call;
    this.#waitMs = waitMs;
    this.#buffer = buffer;
  }

  pairWith(other: BlockPlacer): void {
    this.#otherRecent = other.#recent;
    other.#otherRecent = this.#recent;
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  get hasJustRepeated(): boolean {
    return this.#recent.hasJustRepeated;
  }

  /** When the oldest held block arrived; Infinity when none is held. */
  get heldSinceMs(): Millis {
    return this.#held.sinceMs;
  }

  /** Up to here the track is settled, silence included; Infinity when nothing is held. */
  get settledFrame(): number {
    if (!this.isHolding) return Infinity;
    return this.#held.isArriving ? Math.max(this.#rightFrame, this.#call.takenFrames) : this.placed.endFrame;
  }

  /** Where the track's next audio can be placed at the earliest. */
  get nextFrame(): number {
    const { endFrame, jitterFrames } = this.placed;
    if (!this.isHolding) return endFrame;
    const earliest = this.#held.isArriving ? this.#rightFrame - jitterFrames : 0;
    return Math.max(endFrame, this.#call.takenFrames, earliest);
  }

  /** Position that the track's audio reaches, held blocks included. */
  get reachFrame(): number {
    if (!this.isHolding) return this.placed.endFrame;
    return this.nextFrame + Math.ceil(this.#held.audioMs * SAMPLES_PER_MS);
  }

  add(block: AudioBlock): void {
    this.lastArrivedAtMs = block.arrivedAtMs;
    const timeMs = block.timeMs - this.#call.originMs;
    const fingerprint = fingerprintOf(block.pcm);
    if (this.#rejoin && this.#isPlacedAlready(this.#rejoin, timeMs, fingerprint)) return;
    if (this.#rejoinFrame > 0 && !this.#rejoinedBy(block, timeMs)) return;
    if (this.#recent.continuesRepetition(timeMs, fingerprint)) this.#leaveOut(block.pcm.length);
    else if (this.isHolding) this.#follow(block, timeMs, fingerprint);
    else this.#decide(block, timeMs, fingerprint);
  }

  /** Copies audio whose buffer will be reused. */
  keep(): void {
    this.#held.keep();
    this.placed.track.keep();
  }

  /** Decides whether held blocks follow a gap; those that do not continue the track. */
  settleAbsence(): void {
    const held = this.#held;
    if (!this.isHolding || held.isArriving) return;
    const late = this.#lateness;
    const verdict = judge(late);
    if (!late.isExact) this.placed.clock.noteInexact();
    if (verdict === 'absence') held.isArriving = true;
    else if (verdict === 'none') this.#release();
    else if (verdict === 'set') this.#followSet(late.meanMs);
    else for (const block of held.release()) this.placed.append(block);
  }

  /** Decides where held blocks belong. */
  settle(): void {
    this.settleAbsence();
    if (this.isHolding) this.#placeHeld();
  }

  /** Makes the decisions that are needed to take the call up to `frame`. */
  settleBefore(frame: number): void {
    if (frame <= this.settledFrame) return;
    this.settleAbsence();
    if (frame > this.settledFrame) this.#placeHeld();
  }

  /** The last blocks that are placed, for a process that continues the call: it has to decide about held ones itself. */
  get lastBlocks(): readonly BlockMark[] {
    // Those that come again before the place are placed already.
    if (this.#rejoin) return this.#rejoin.lastBlocks;
    return this.#recent.last(REJOIN_BLOCKS, this.isHolding ? this.#beforeHeld : undefined);
  }

  /** Leaves out everything up to these blocks: an earlier process has placed it. */
  rejoinAfter(lastBlocks: readonly BlockMark[]): void {
    const last = lastBlocks.at(-1);
    if (last) this.#rejoin = new Rejoin([lastBlocks.at(-2), last], this.placed.clock.exactBlocks >= 0);
  }

  /**
   * Continues a call of which only the clock is known: the first block goes where its time says, and the part before
   * `fromFrame` is left out.
   */
  rejoinByTime(fromFrame: number, centerMs: Millis, misplacedFrames: number): void {
    this.#rejoinFrame = fromFrame;
    const levelMs = centerMs - misplacedFrames / SAMPLES_PER_MS;
    this.placed.begin(0, levelMs, 1, centerMs);
    this.placed.hasBegun = false;
  }

  /** The part of the first block after the place; undefined when the whole block is before it. */
  #rejoinedBy(block: AudioBlock, timeMs: Millis): AudioBlock | undefined {
    const { placed } = this;
    const frame = Math.round(placed.deviationMs(timeMs) * SAMPLES_PER_MS);
    const beforeBytes = (this.#rejoinFrame - frame) * BYTES_PER_SAMPLE;
    if (beforeBytes >= block.pcm.length) return undefined;
    this.#rejoinFrame = 0;
    if (beforeBytes <= 0) return block;
    const { levelMs, centerMs } = placed.clock;
    placed.begin(this.#call.takenFrames, levelMs, 1, centerMs);
    placed.append({ ...block, pcm: block.pcm.subarray(beforeBytes) });
    return undefined;
  }

  #isPlacedAlready(rejoin: Rejoin, timeMs: Millis, fingerprint: number): boolean {
    const verdict = rejoin.judge(timeMs, fingerprint);
    if (verdict !== 'before') this.#rejoin = undefined;
    if (verdict === 'beyond') return false;
    this.#recent.note(timeMs, fingerprint);
    return true;
  }

  /** Decides about a block when none is held. */
  #decide(block: AudioBlock, timeMs: Millis, fingerprint: number): void {
    const placed = this.placed;
    const deviationMs = placed.deviationMs(timeMs);
    const { boundMs } = placed;
    const mayBeOld =
      Math.abs(deviationMs) > boundMs ||
      this.#hasJustCut ||
      this.#otherRecent.hasJustRepeated ||
      placed.isTaken(timeMs + boundMs) ||
      this.#recent.isOneOfLatest(timeMs, fingerprint);
    if (mayBeOld && placed.hasBegun && this.#isRepeated(block, timeMs, fingerprint)) return;
    if (mayBeOld && this.#fillsGap(block, timeMs)) return;
    this.#recent.note(timeMs, fingerprint);
    if (placed.isAway) this.#arrive(block, timeMs);
    else if (this.#isLate(deviationMs, boundMs) && !placed.isSet(timeMs)) this.#hold(block, timeMs);
    else placed.continueWith(block, deviationMs);
  }

  /**
   * Puts a block that comes after later ones into the gap that they left, if that was not taken yet. By an exact time
   * only. It is not the track's last block: a later process does not recognize the place by it.
   */
  #fillsGap(block: AudioBlock, timeMs: Millis): boolean {
    const { isExact, hasBegun, clock, track } = this.placed;
    if (!isExact || !hasBegun || this.placed.deviationMs(timeMs) >= -EXACT_MS) return false;
    const frame = Math.round((timeMs - clock.levelMs) * SAMPLES_PER_MS);
    return track.fillGap(frame, block, EXACT_MS * SAMPLES_PER_MS, this.#call.takenFrames);
  }

  #isLate(deviationMs: Millis, boundMs: Millis): boolean {
    const { clock, grid, isExact } = this.placed;
    return deviationMs > (isExact ? grid.latestMs(boundMs) : boundMs) && clock.runBlocks > 0;
  }

  /** Decides about a block that follows held ones. */
  #follow(block: AudioBlock, timeMs: Millis, fingerprint: number): void {
    const placed = this.placed;
    const held = this.#held;
    const mayContinue = !held.isArriving;
    const startMs = held.startMs(timeMs);
    if (this.#otherRecent.hasJustRepeated && this.#recent.beginsRepetition(timeMs, fingerprint)) {
      this.#leaveOut(block.pcm.length);
    } else if (mayContinue && this.#isBeforeHeld(block, timeMs)) {
      this.#recent.note(timeMs, fingerprint);
      this.#precede(block, timeMs);
    } else if (mayContinue && Math.abs(placed.deviationMs(startMs)) <= this.#closeMs) {
      this.#release();
      this.#decide(block, timeMs, fingerprint);
    } else if (Math.abs(startMs - held.meanMs) > WIDEST_JITTER_MS) {
      this.settle();
      this.#decide(block, timeMs, fingerprint);
    } else {
      this.#recent.note(timeMs, fingerprint);
      this.#hold(block, timeMs);
    }
  }

  /** By exact times: it continues the track, and ends before the held blocks begin. */
  #isBeforeHeld({ pcm }: AudioBlock, timeMs: Millis): boolean {
    const { placed } = this;
    const endMs = timeMs + pcm.length / (BYTES_PER_SAMPLE * SAMPLES_PER_MS);
    return placed.isExact && Math.abs(placed.deviationMs(timeMs)) <= EXACT_MS && endMs <= this.#held.firstMs + EXACT_MS;
  }

  /** A block so close to where it is expected proves that those before it continue the track, too. */
  get #closeMs(): Millis {
    return this.placed.isExact ? EXACT_MS : this.placed.boundMs / 2;
  }

  /** Places a block that arrives after held ones, but belongs just before them. */
  #precede(block: AudioBlock, timeMs: Millis): void {
    const placed = this.placed;
    placed.continueWith(block, placed.deviationMs(timeMs));
    if (Math.abs(placed.deviationMs(this.#held.firstMs)) <= EXACT_MS) this.#release();
  }

  #hold(block: AudioBlock, timeMs: Millis): void {
    if (!this.isHolding) this.#beforeHeld = this.#recent.noted - 1;
    this.#held.add(block, timeMs);
    if (this.#held.audioMs >= this.#waitMs || isCertain(this.#lateness)) this.settle();
  }

  /** Takes a block of a track that was absent. */
  #arrive(block: AudioBlock, timeMs: Millis): void {
    const placed = this.placed;
    this.#held.isArriving = true;
    this.#hold(block, timeMs);
    if (!this.isHolding) return;
    const isOvertaken = this.#rightFrame + placed.jitterFrames <= this.#call.takenFrames;
    if (isOvertaken || placed.isSet(timeMs)) this.#placeHeld();
  }

  /** Continues the track with the held blocks. */
  #release(): void {
    for (const block of this.#held.release()) {
      this.placed.continueWith(block, this.placed.deviationMs(block.timeMs - this.#call.originMs));
    }
  }

  /** Continues the track with the held blocks, whose times show that the clock was set. */
  #followSet(byMs: Millis): void {
    this.placed.clock.set(byMs, this.#held.length);
    for (const block of this.#held.release()) this.placed.append(block);
  }

  #placeHeld(): void {
    const startMs = this.#startMs;
    const isExact = this.placed.isExact && this.#held.agree;
    const deviations = this.#held.deviationsMs(startMs);
    this.placed.placeAfterGap(this.#held.release(), startMs, deviations, isExact);
  }

  /** When the first held sample was said. */
  get #startMs(): Millis {
    return this.placed.isExact && this.#held.agree ? this.#held.firstMs : this.#held.meanMs;
  }

  /** Where the held blocks belong. */
  get #rightFrame(): number {
    return this.placed.rightFrame(this.#startMs, this.placed.isExact && this.#held.agree);
  }

  get #lateness(): Lateness {
    const placed = this.placed;
    const held = this.#held;
    const firstMs = placed.deviationMs(held.firstMs);
    return {
      firstMs,
      meanMs: placed.deviationMs(held.meanMs),
      blocks: held.length,
      runBlocks: placed.clock.runBlocks,
      isExact: placed.isExact && held.agree,
      exactBlocks: placed.exactBlocks + held.length - 1,
      isMissingBlocks: placed.grid.isMissingBlocks(firstMs),
      inexactBoundMs: placed.clock.inexactBoundMs(),
    };
  }

  /** Leaves out a repeated block, or its repeated part. */
  #isRepeated(block: AudioBlock, timeMs: Millis, fingerprint: number): boolean {
    const { pcm } = block;
    const { track, clock, isExact, isAway, boundMs } = this.placed;
    if (this.#mayBeMonotonous(pcm, timeMs, fingerprint)) return false;
    if (this.#recent.beginsRepetition(timeMs, fingerprint)) {
      this.#leaveOut(pcm.length);
      return true;
    }
    const leastMs = this.#hasJustCut ? EXACT_MS : boundMs;
    this.#hasJustCut = false;
    if (!isExact || isAway || this.placed.deviationMs(timeMs) >= -leastMs) return false;
    const frame = Math.round((timeMs - clock.levelMs) * SAMPLES_PER_MS);
    const rest = track.newPart(frame, pcm, this.#buffer, this.#call.takenFrames);
    if (rest.length === pcm.length) return false;
    this.#hasJustCut = true;
    this.#recent.note(timeMs, fingerprint);
    this.#leaveOut(pcm.length - rest.length);
    track.append(track.endFrame, { ...block, pcm: rest });
    return true;
  }

  /** True if an inexact time explains why the block is early, and its content would be the same anywhere: a silence, a tone. */
  #mayBeMonotonous(pcm: Uint8Array, timeMs: Millis, fingerprint: number): boolean {
    if (this.#hasJustCut || this.#otherRecent.hasJustRepeated) return false;
    if (Math.abs(this.placed.deviationMs(timeMs)) > JITTER_MS + EXACT_MS) return false;
    return this.#recent.isLikeLastTwo(fingerprint) || repeatsItself(pcm);
  }

  #leaveOut(bytes: number): void {
    this.repeatedFrames += Math.floor(bytes / BYTES_PER_SAMPLE);
  }
}
