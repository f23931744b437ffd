import { AGENT, type Channel, CUSTOMER, SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import type { AudioRun } from './audio-run.ts';
import { BlockPlacer } from './block-placer.ts';
import type { CallBuffer } from './call-buffer.ts';
import type { CallClock } from './call-clock.ts';
import { Horizon } from './horizon.ts';
import { createMono, interleave, MOST_FRAMES } from './interleave.ts';
import { open, openDueMs } from './opening.ts';
import { type PackedClock, packed, unpacked } from './packed-clock.ts';
import type { AudioBlock } from './pcm.ts';
import { type Call, PlacedTrack } from './placed-track.ts';
import { emptyFrames } from './track.ts';

/** Per channel the piece that is being taken: all aligners of this thread use it in turn. */
const MONO = [createMono(), createMono()] as const;

/** The frames so far for which a track had no samples, and where the last of them ends. */
interface SilenceOf {
  frames: number;
  toFrame: number;
}

/**
 * Turns blocks of two tracks into one continuous run of 2-channel PCM on the call's own clock, which begins with the
 * first block. Samples say how much, times say where (README.md).
 */
export class Aligner {
  readonly #call: Call = { originMs: 0, takenFrames: 0 };
  readonly #tracks: readonly [PlacedTrack, PlacedTrack];
  readonly #placers: readonly [BlockPlacer, BlockPlacer];
  readonly #horizon: Horizon;
  readonly #waitMs: Millis;
  readonly #buffer: CallBuffer;
  /** Blocks before the first piece, kept until it is known where the call begins. */
  #opening: AudioBlock[] | undefined = [];
  #beginning: PackedClock | undefined;
  /** Where in the call this aligner begins. */
  #firstFrame = 0;
  #gapFrames = 0;
  readonly #silence: [SilenceOf, SilenceOf] = [
    { frames: 0, toFrame: 0 },
    { frames: 0, toFrame: 0 },
  ];
  #nowMs: Millis = 0;
  #finished = false;

  /**
   * @param waitMs how long a track waits for the other, and a block for a decision, in audio and in our time
   * @param buffer where the call is written
   * @param from where to continue a call, and its clock; audio from before is left out
   */
  constructor(waitMs: Millis, buffer: CallBuffer, from?: { readonly callMs: Millis; readonly callClock: PackedClock }) {
    this.#waitMs = waitMs;
    this.#buffer = buffer;
    const [customer, agent] = [new PlacedTrack(CUSTOMER, this.#call), new PlacedTrack(AGENT, this.#call)];
    customer.pairWith(agent);
    this.#tracks = [customer, agent];
    this.#placers = [
      new BlockPlacer(customer, this.#call, waitMs, buffer),
      new BlockPlacer(agent, this.#call, waitMs, buffer),
    ];
    this.#placers[CUSTOMER].pairWith(this.#placers[AGENT]);
    this.#horizon = new Horizon(this.#placers, this.#call, waitMs);
    if (from) this.#resume(from.callMs, from.callClock);
  }

  get hasBegun(): boolean {
    return this.#opening === undefined;
  }

  /** True while blocks wait for a decision: the call's clock does not have them. */
  get isHolding(): boolean {
    const [customer, agent] = this.#placers;
    return this.#opening !== undefined || customer.isHolding || agent.isHolding;
  }

  /** The call's clock before the first block was placed, or where this aligner resumed; undefined before that. */
  get beginning(): PackedClock | undefined {
    return this.#beginning;
  }

  /**
   * The call's clock now; undefined before the call has begun.
   * @param used a packed clock that is no longer needed, whose memory may be used again
   */
  callClock(used?: PackedClock): PackedClock | undefined {
    return this.#opening ? undefined : packed(this.#clock, used);
  }

  get #clock(): CallClock {
    const customer = this.#tracks[CUSTOMER].save(this.#placers[CUSTOMER].lastBlocks);
    const agent = this.#tracks[AGENT].save(this.#placers[AGENT].lastBlocks);
    return {
      originMs: this.#call.originMs,
      driftFrames: [framesIn(-customer.centerMs), framesIn(-agent.centerMs)],
      delayFrames: [framesIn(customer.centerMs - customer.levelMs), framesIn(agent.centerMs - agent.levelMs)],
      placed: { tracks: [customer, agent], takenFrames: this.#call.takenFrames },
    };
  }

  /** Latest position that the call's added audio can reach. */
  get reachMs(): Millis {
    const [customer, agent] = this.#tracks;
    return Math.max(customer.endFrame, agent.endFrame) / SAMPLES_PER_MS;
  }

  /** How far into the call the pieces taken so far reach. */
  get positionMs(): Millis {
    return Math.max(this.#call.takenFrames, this.#firstFrame) / SAMPLES_PER_MS;
  }

  /** Call time so far for which neither track had audio. */
  get gapMs(): Millis {
    return this.#gapFrames / SAMPLES_PER_MS;
  }

  /** Call time so far for which the channel had no audio. */
  silentMs(channel: Channel): Millis {
    return this.#silence[channel].frames / SAMPLES_PER_MS;
  }

  /** Where the last of that ends. */
  silentToMs(channel: Channel): Millis {
    return this.#silence[channel].toFrame / SAMPLES_PER_MS;
  }

  /** Whether the channel's track has audio up to where the call was taken. */
  isPresent(channel: Channel): boolean {
    return !this.#tracks[channel].isAway;
  }

  /** Repeated audio that was left out, as call time so far. */
  get repeatedMs(): Millis {
    const [customer, agent] = this.#placers;
    return Math.max(customer.repeatedFrames, agent.repeatedFrames) / SAMPLES_PER_MS;
  }

  /** True while the producer may still be repeating audio. */
  get isRepeating(): boolean {
    const [customer, agent] = this.#placers;
    return customer.hasJustRepeated || agent.hasJustRepeated;
  }

  /** When `settle` is due if no block arrives before; undefined when nothing waits for that. To be asked after `take`. */
  get dueMs(): Millis | undefined {
    const dueMs = this.#opening ? openDueMs(this.#opening, this.#waitMs) : this.#horizon.dueMs(this.#nowMs);
    return dueMs === Infinity ? undefined : dueMs;
  }

  add(block: AudioBlock): void {
    this.#nowMs = block.arrivedAtMs;
    if (this.#opening) this.#opening.push(block);
    else this.#placers[block.channel].add(block);
  }

  /** Call this before the added audio is overwritten: copies what still waits for its turn. */
  keep(): void {
    this.#opening = this.#opening?.map((block) => ({ ...block, pcm: Buffer.from(block.pcm) }));
    for (const placer of this.#placers) placer.keep();
  }

  /** Reports that no block has arrived up to now, so that audio that has waited long enough is taken. */
  settle(nowMs: Millis): void {
    this.#nowMs = nowMs;
  }

  /**
   * The stream was not read for a while: audio of the other track may have arrived meanwhile. What waits is counted as if
   * it had arrived at `fromMs`.
   */
  waitFrom(fromMs: Millis): void {
    this.#horizon.waitFrom(fromMs);
  }

  /** The call has ended: nothing waits for further audio. */
  finish(): void {
    this.#finished = true;
  }

  /** Writes the next run of the call, of at most `longestMs`, to the buffer; undefined until more is known. */
  take(longestMs: Millis): AudioRun | undefined {
    if (this.#opening && !this.#open(this.#opening)) return undefined;
    this.#horizon.settleOverdue(this.#nowMs, this.#finished);
    this.#skip();
    const from = this.#call.takenFrames;
    const frames = this.#settledFrames(longestMs * SAMPLES_PER_MS);
    if (frames <= 0 || from < this.#firstFrame) return undefined;
    const room = this.#buffer.reserve(frames);
    const to = from + room.length;
    const [customer, agent] = this.#tracks;
    this.#gapFrames += emptyFrames(customer.track, agent.track, from, to);
    const oldestMs = this.#read(to);
    this.#noteSilence(CUSTOMER);
    this.#noteSilence(AGENT);
    interleave(MONO[CUSTOMER].words, MONO[AGENT].words, room);
    return { frames: room, arrivedAtMs: oldestMs === Infinity ? undefined : oldestMs };
  }

  #resume(callMs: Millis, beginning: PackedClock): void {
    const callClock = unpacked(beginning);
    this.#opening = undefined;
    this.#beginning = beginning;
    this.#firstFrame = callMs * SAMPLES_PER_MS;
    this.#call.originMs = callClock.originMs;
    this.#call.takenFrames = callClock.placed?.takenFrames ?? this.#firstFrame;
    for (const channel of [CUSTOMER, AGENT] as const) {
      const saved = callClock.placed?.tracks[channel];
      if (saved) {
        this.#tracks[channel].restore(saved);
        this.#placers[channel].rejoinAfter(saved.lastBlocks);
      } else {
        const centerMs = -callClock.driftFrames[channel] / SAMPLES_PER_MS;
        this.#placers[channel].rejoinByTime(this.#firstFrame, centerMs, callClock.delayFrames[channel]);
      }
    }
  }

  /** Starts the call's clock once both tracks have begun, or one has waited long enough for the other. */
  #open(blocks: readonly AudioBlock[]): boolean {
    const opened = open(blocks, this.#waitMs, this.#nowMs, this.#finished);
    if (!opened) return false;
    this.#call.originMs = opened.originMs;
    for (const { channel, startFrame, levelMs, levelBlocks, centerMs } of opened.tracks) {
      this.#tracks[channel].begin(startFrame, levelMs, levelBlocks, centerMs);
    }
    this.#opening = undefined;
    this.#beginning = this.callClock();
    for (const block of blocks) this.#placers[block.channel].add(block);
    return true;
  }

  #settledFrames(longest: number): number {
    const frames = Math.min(longest, MOST_FRAMES);
    return Math.min(frames, this.#horizon.settledFrames(frames, this.#nowMs, this.#finished));
  }

  /** Takes what an earlier process has sent, and leaves it out. */
  #skip(): void {
    while (this.#call.takenFrames < this.#firstFrame) {
      const frames = this.#settledFrames(this.#firstFrame - this.#call.takenFrames);
      if (frames <= 0) return;
      this.#read(this.#call.takenFrames + frames);
    }
  }

  #noteSilence(channel: Channel): void {
    const { silentFrames, silentTo } = this.#tracks[channel].track;
    if (silentFrames === 0) return;
    const silence = this.#silence[channel];
    silence.frames += silentFrames;
    silence.toFrame = silentTo;
  }

  /** Copies both tracks' samples up to a frame to MONO. Returns when the oldest arrived; Infinity when there are none. */
  #read(toFrame: number): Millis {
    const from = this.#call.takenFrames;
    this.#call.takenFrames = toFrame;
    const [customer, agent] = this.#tracks;
    return Math.min(
      customer.track.read(MONO[CUSTOMER].bytes, from, toFrame),
      agent.track.read(MONO[AGENT].bytes, from, toFrame),
    );
  }
}

function framesIn(ms: Millis): number {
  return Math.round(ms * SAMPLES_PER_MS);
}
