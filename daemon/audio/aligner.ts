import { AGENT, BYTES_PER_SAMPLE, type Channel, CUSTOMER, SAMPLES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import type { AudioRun } from './audio-run.ts';
import type { CallBuffer } from './call-buffer.ts';
import { createMono, interleave, MOST_FRAMES } from './interleave.ts';
import type { AudioBlock } from './pcm.ts';
import { Track } from './track.ts';

/** How the producer's times become the call's: what a later aligner needs to go on with the same call. */
export interface CallClock {
  /** The producer's time of the call's first frame. */
  readonly originMs: Millis;
  /** Per channel: audio beyond what the clock had time for, and how much too late the track was when it came (back). */
  readonly driftFrames: readonly [number, number];
  readonly delayFrames: readonly [number, number];
}

/** Below half of Connect's 64 ms block a difference is a clock's inexactness; above it a block is missing or extra. */
const TOLERANCE_FRAMES = 32 * SAMPLES_PER_MS;
/** A longer jump forward is a clock that was set, not audio that is missing: Kinesis would not have kept it. */
const LONGEST_GAP_FRAMES = 10 * 60_000 * SAMPLES_PER_MS;
/** A track that falls back by more has a clock that was set (daemon/kinesis/README.md: timecodes decrease in real streams). */
const LONGEST_DRIFT_FRAMES = 1000 * SAMPLES_PER_MS;
/** One track waits for the other with at most this, 480 KB, however fast the stream is read. */
const LONGEST_LEAD_FRAMES = 30_000 * SAMPLES_PER_MS;
/** Blocks that wait for the call to begin: half a minute of Connect's, and an end even of empty ones. */
const MOST_OPENING_BLOCKS = 500;

/** Per channel the run that is being taken: all aligners of this thread use it in turn. */
const MONO = [createMono(), createMono()] as const;

/** A track and how its place on the call's clock differs from what its times say. */
class Placed {
  readonly track: Track;
  /** Audio it had beyond what its clock had time for, so far. */
  driftFrames = 0;
  /** How much too late it was when it last came (back): what had been filled with silence by then. */
  delayFrames = 0;

  constructor(channel: Channel) {
    this.track = new Track(channel);
  }
}

/**
 * Turns blocks of two tracks into one continuous run of 2-channel PCM on the call's own clock, which begins with the
 * first block. Blocks go where their times say; where a track has nothing there is silence; no sample is dropped, and none that
 * comes again (as a producer may send it after a hitch) is doubled.
 * How long a run waits for the other track is told by the audio itself, so bursts and slow networks change nothing.
 */
export class Aligner {
  readonly #placed = [new Placed(CUSTOMER), new Placed(AGENT)] as const;
  readonly #tracks = [this.#placed[CUSTOMER].track, this.#placed[AGENT].track] as const;
  readonly #waitMs: Millis;
  readonly #buffer: CallBuffer;
  /** Blocks before the first run, kept until it is known which of them begins the call. */
  #opening: AudioBlock[] | undefined = [];
  /** The producer's time of frame 0. */
  #originMs = 0;
  /** Where in the call this aligner begins. */
  #firstFrame = 0;
  #takenFrames = 0;
  #holeFrames = 0;
  #nowMs: Millis = 0;
  #finished = false;

  /**
   * @param waitMs how long a track waits for the other, in its audio and in our time, before silence stands in for it
   * @param buffer where the call is written
   * @param from where to go on with a call, and its clock; audio from before is left out
   */
  constructor(waitMs: Millis, buffer: CallBuffer, from?: { readonly callMs: Millis; readonly callClock: CallClock }) {
    this.#waitMs = waitMs;
    this.#buffer = buffer;
    if (!from) return;
    const { originMs, driftFrames, delayFrames } = from.callClock;
    this.#opening = undefined;
    this.#originMs = originMs;
    this.#firstFrame = from.callMs * SAMPLES_PER_MS;
    this.#takenFrames = this.#firstFrame;
    for (const channel of [CUSTOMER, AGENT] as const) {
      this.#placed[channel].driftFrames = driftFrames[channel];
      this.#placed[channel].delayFrames = delayFrames[channel];
    }
  }

  get hasBegun(): boolean {
    return this.#opening === undefined;
  }

  /** Undefined before the call has begun. */
  get callClock(): CallClock | undefined {
    const [a, b] = this.#placed;
    if (this.#opening) return undefined;
    return {
      originMs: this.#originMs,
      driftFrames: [a.driftFrames, b.driftFrames],
      delayFrames: [a.delayFrames, b.delayFrames],
    };
  }

  /** Up to where the call's audio that was added reaches at the most. */
  get reachMs(): Millis {
    return this.#reachFrames() / SAMPLES_PER_MS;
  }

  /** How far into the call the runs taken so far reach. */
  get positionMs(): Millis {
    return this.#takenFrames / SAMPLES_PER_MS;
  }

  /** Call time so far for which neither track had audio. */
  get holeMs(): Millis {
    return this.#holeFrames / SAMPLES_PER_MS;
  }

  add(block: AudioBlock): void {
    this.#nowMs = block.arrivedAtMs;
    if (this.#opening) this.#opening.push(block);
    else this.#place(block);
  }

  /** To be called before the audio that was added is written over: what waits for its turn is copied. */
  keep(): void {
    this.#opening = this.#opening?.map((block) => ({ ...block, pcm: Buffer.from(block.pcm) }));
    for (const track of this.#tracks) track.keep();
  }

  /** There is no more to come: nothing is waited for any longer. */
  finish(): void {
    this.#finished = true;
  }

  /** Writes the next run of the call, of at most `longestMs`, to the buffer; undefined until more is known. */
  take(longestMs: Millis): AudioRun | undefined {
    if (this.#opening && !this.#open(this.#opening)) return undefined;
    const from = this.#takenFrames;
    const frames = Math.min(this.#horizon() - from, longestMs * SAMPLES_PER_MS, MOST_FRAMES);
    if (frames <= 0) return undefined;
    const room = this.#buffer.reserve(frames);
    const to = from + room.length;
    this.#holeFrames += this.#emptyFrames(from, to);
    const [customer, agent] = this.#tracks;
    const oldestMs = Math.min(customer.read(MONO[CUSTOMER].bytes, from, to), agent.read(MONO[AGENT].bytes, from, to));
    interleave(MONO[CUSTOMER].words, MONO[AGENT].words, room);
    this.#takenFrames = to;
    const pcm = Buffer.from(room.buffer, room.byteOffset, room.byteLength);
    return { pcm, arrivedAtMs: oldestMs === Infinity ? undefined : oldestMs };
  }

  /** Begins the call's clock once both tracks have been heard, or one has waited long enough for the other. */
  #open(blocks: readonly AudioBlock[]): boolean {
    const [first] = blocks;
    if (!first) return false;
    const bothHeard = blocks.some(({ channel }) => channel !== first.channel);
    const audioMs = (blocks.at(-1)?.timeMs ?? first.timeMs) - first.timeMs;
    const waitedEnough = audioMs >= this.#waitMs && this.#nowMs - first.arrivedAtMs >= this.#waitMs;
    const tooMuch = blocks.length > MOST_OPENING_BLOCKS || audioMs * SAMPLES_PER_MS > LONGEST_LEAD_FRAMES;
    if (!bothHeard && !waitedEnough && !tooMuch && !this.#finished) return false;
    this.#originMs = blocks.reduce((earliest, { timeMs }) => Math.min(earliest, timeMs), Infinity);
    this.#opening = undefined;
    for (const block of blocks) this.#place(block);
    return true;
  }

  #place({ channel, timeMs, pcm, arrivedAtMs }: AudioBlock): void {
    const placed = this.#placed[channel];
    const { track } = placed;
    const fromBefore = this.#firstFrame - this.#frameOf(timeMs) - placed.driftFrames - placed.delayFrames;
    if (this.#firstFrame > 0 && track.endFrame === 0 && fromBefore > 0) {
      const rest = pcm.subarray(fromBefore * BYTES_PER_SAMPLE);
      if (rest.length > 0) track.append(this.#firstFrame, rest, arrivedAtMs);
      return;
    }
    const isContinued = track.endFrame >= this.#takenFrames && track.endFrame > 0;
    const nowhere = isContinued ? track.endFrame - LONGEST_DRIFT_FRAMES : this.#takenFrames - LONGEST_LEAD_FRAMES;
    const reached = Math.max(this.#takenFrames, this.#reachFrames());
    let frame = this.#frameOf(timeMs) + placed.driftFrames;
    if (isContinued && frame + placed.delayFrames < track.endFrame - TOLERANCE_FRAMES) {
      const unheard = track.newPart(frame + placed.delayFrames, pcm, this.#buffer, this.#takenFrames);
      if (unheard.length < pcm.length) {
        track.append(track.endFrame, unheard, arrivedAtMs);
        return;
      }
    }
    if (frame > reached + LONGEST_GAP_FRAMES || frame + placed.delayFrames < nowhere) {
      // The clock was set. The call goes on where it is, and so does the other track, by the new time.
      const goesOnAt = isContinued ? track.endFrame - placed.delayFrames : this.#takenFrames;
      this.#originMs += (frame - goesOnAt) / SAMPLES_PER_MS;
      frame = goesOnAt;
    }
    if (!isContinued) placed.delayFrames = Math.max(0, this.#takenFrames - frame);
    frame += placed.delayFrames;
    const lateFrames = frame - track.endFrame;
    if (isContinued && lateFrames <= TOLERANCE_FRAMES) {
      if (lateFrames < -TOLERANCE_FRAMES) placed.driftFrames -= lateFrames;
      frame = track.endFrame;
    }
    track.append(frame, pcm, arrivedAtMs);
  }

  #frameOf(timeMs: Millis): number {
    return Math.round((timeMs - this.#originMs) * SAMPLES_PER_MS);
  }

  /** The frame up to which the call is settled: both tracks are there, or one has waited long enough for the other. */
  #horizon(): number {
    const [a, b] = this.#tracks;
    const [ahead, behind] = a.endFrame > b.endFrame ? [a, b] : [b, a];
    const isAbsent = behind.endFrame < this.#takenFrames;
    if (this.#finished || isAbsent) return ahead.endFrame;
    const leadFrames = ahead.endFrame - behind.endFrame;
    const waitFrames = this.#waitMs * SAMPLES_PER_MS;
    const waitedEnough = leadFrames > waitFrames && this.#nowMs - ahead.waitingSinceMs >= this.#waitMs;
    if (!waitedEnough && leadFrames <= LONGEST_LEAD_FRAMES) return behind.endFrame;
    return ahead.endFrame - waitFrames;
  }

  /** Frames between the two for which neither track has a sample. */
  #emptyFrames(from: number, to: number): number {
    const [a, b] = this.#tracks;
    let empty = 0;
    let frame = from;
    while (frame < to) {
      let covered = a.coveredTo(frame);
      if (covered < to) covered = Math.max(covered, b.coveredTo(frame));
      if (covered > frame) {
        frame = covered;
      } else {
        const next = Math.min(to, a.nextAfter(frame), b.nextAfter(frame));
        empty += next - frame;
        frame = next;
      }
    }
    return empty;
  }

  #reachFrames(): number {
    const [a, b] = this.#tracks;
    return Math.max(a.endFrame, b.endFrame);
  }
}
