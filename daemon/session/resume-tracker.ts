import type { Aligner } from '../audio/aligner.ts';
import type { PackedClock } from '../audio/packed-clock.ts';
import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { CheckpointSource, Checkpoints } from '../checkpoints/checkpoints.ts';
import type { StartRequest } from '../contract/start-request.ts';
import type { TraceId } from '../contract/traceparent.ts';
import type { Link } from '../deepgram/link.ts';
import type { Position } from '../kinesis/contact.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { GapReporter } from './gap-report.ts';
import type { StartingPoint } from './seed.ts';

type TrackedAligner = Pick<Aligner, 'hasBegun' | 'isHolding' | 'reachMs' | 'callClock' | 'beginning'>;

/** What resume points are made from beside the aligner, and where they go. */
interface TrackedParts {
  readonly link: Pick<Link, 'safeMs' | 'connections'>;
  readonly gaps: Pick<GapReporter, 'beforeMs' | 'toldAfter' | 'missedAtStartMs'>;
  readonly checkpoints: Pick<Checkpoints, 'track' | 'settled' | 'changed' | 'freeze'> | undefined;
}

/** Writing a checkpoint takes a millisecond or two. A start does not wait longer for a disk that hangs. */
const SAVE_WITHIN_MS: Millis = 100;
/** Each takes 700 bytes. With fewer of them, a session that resumes while Deepgram is behind reads more again. */
const MOST_MOMENTS = 4;

/** A moment of the call, when a fragment had been read. */
interface Moment {
  /** Where the stream is read again to continue from this moment: after the fragment before. */
  readonly readFrom: StartingPoint['position'];
  /** All audio placed by then ends here. */
  readonly endMs: Millis;
  readonly clock: PackedClock | undefined;
}

/**
 * Knows where a session can resume: the fragments it has read, and how the call's clock stood after each one. Times
 * alone do not tell a block's place to the sample, so a session resumes with the clock of one moment and reads again
 * what had come since the fragment before: then the blocks that were placed last come again and show the place. Each
 * moment has both, so they belong together whichever moments are kept.
 */
export class ResumeTracker implements CheckpointSource {
  readonly sessionId: string;
  readonly traceId: TraceId;
  readonly request: StartRequest;
  readonly timeZeroEpochMs: Millis;
  readonly #parts: TrackedParts;
  /** The one in use. */
  #aligner: TrackedAligner;
  /** The resume point, and later ones up to which audio is not safe yet. Its clock is undefined at the call's beginning. */
  #safe: Moment;
  readonly #moments: Moment[] = [];
  /** After the last fragment read, and after the one before. */
  #position: StartingPoint['position'];
  #positionBefore: StartingPoint['position'];
  /** False until there is a moment with all of the last fragment. */
  #hasMoment = true;
  /** A clock that is no longer needed: its memory is used again, because garbage this old costs a major collection. */
  #spare: PackedClock | undefined;

  constructor(
    identity: SessionIdentity,
    start: StartingPoint['position'],
    aligner: TrackedAligner,
    parts: TrackedParts,
  ) {
    this.sessionId = identity.sessionId;
    this.traceId = identity.traceId;
    this.request = identity.request;
    this.timeZeroEpochMs = identity.timeZeroEpochMs;
    this.#safe = { readFrom: start, endMs: parts.link.safeMs, clock: undefined };
    this.#position = start;
    this.#positionBefore = start;
    this.#aligner = aligner;
    this.#parts = parts;
  }

  /**
   * Saves where the session starts, before any audio. Resolves when that is on disk, or cannot be, and after
   * SAVE_WITHIN_MS at the latest; never rejects.
   */
  async begin(clock: Pick<Clock, 'after'>): Promise<void> {
    const { checkpoints } = this.#parts;
    if (!checkpoints) return;
    checkpoints.track(this);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(SAVE_WITHIN_MS, resolve);
    await Promise.race([checkpoints.settled(this.sessionId), late]);
    cancel();
  }

  /** Call this when everything up to `position` has been read and given to the aligner. */
  note(position: Position | undefined): void {
    const aligner = this.#aligner;
    // Audio has no place in the call before the aligner knows where the call begins.
    if (!aligner.hasBegun) return;
    if (position) this.#pass(position);
    // A clock does not have the blocks that are held.
    if (!this.#hasMoment && !aligner.isHolding) this.#keepMoment();
    this.#parts.checkpoints?.changed();
  }

  /** Continues from a resume point of its own: the call is read again from there. */
  restart(
    { position, callClock, callMs }: Pick<StartingPoint, 'position' | 'callClock' | 'callMs'>,
    aligner: TrackedAligner,
  ): void {
    this.#aligner = aligner;
    this.#moments.length = 0;
    this.#position = position;
    this.#positionBefore = position;
    this.#hasMoment = true;
    this.#safe = { readFrom: position, endMs: callMs, clock: callClock?.slice() };
  }

  /** Fixes the resume point, because the session has stopped reading. */
  freeze(): void {
    this.#parts.checkpoints?.freeze(this.sessionId);
  }

  /** At the latest moment up to which all audio is safe at Deepgram. */
  resumePoint(): StartingPoint {
    const callMs = this.#passSafe();
    const { link, gaps } = this.#parts;
    // A copy: the memory of a clock is used again.
    const callClock = this.#safe.clock?.slice() ?? this.#aligner.beginning;
    const position = this.#safe.readFrom;
    const beforeMs = gaps.beforeMs(callMs);
    const toldGaps = gaps.toldAfter(callMs);
    const common = { position, callClock, callMs, toldGaps, connections: link.connections };
    const missedAtStartMs = gaps.missedAtStartMs || undefined;
    // A process that reads from the start of the call detects this gap again.
    if ('isCallStart' in position) return { ...common, gapMs: beforeMs, missedAtStartMs };
    return { ...common, gapMs: beforeMs + (missedAtStartMs ?? 0) };
  }

  /** Passes the moments up to which all audio is safe; returns how far that is. */
  #passSafe(): Millis {
    const callMs = this.#parts.link.safeMs;
    for (let moment = this.#moments[0]; moment && moment.endMs <= callMs; moment = this.#moments[0]) {
      this.#moments.shift();
      this.#spare = this.#safe.clock;
      this.#safe = moment;
    }
    return callMs;
  }

  #pass(position: Position): void {
    const last = this.#position;
    // The same once more: its token may come after its audio.
    const isSame = !('isCallStart' in last) && last.fragmentNumber === position.fragmentNumber;
    if (!isSame) {
      this.#positionBefore = this.#position;
      this.#hasMoment = false;
    }
    this.#position = position;
  }

  #keepMoment(): void {
    this.#hasMoment = true;
    this.#passSafe();
    const endMs = this.#aligner.reachMs;
    if (this.#moments.length === MOST_MOMENTS) this.#dropMoment(endMs);
    this.#moments.push({ readFrom: this.#positionBefore, endMs, clock: this.#aligner.callClock(this.#spare) });
    this.#spare = undefined;
  }

  /** Drops the moment that is missed least: the one whose neighbors are closest to each other. */
  #dropMoment(newestMs: Millis): void {
    let dropped = 0;
    let leastMs = Infinity;
    for (let nth = 0; nth < this.#moments.length; nth++) {
      const apartMs = (this.#moments[nth + 1]?.endMs ?? newestMs) - (this.#moments[nth - 1] ?? this.#safe).endMs;
      if (apartMs > leastMs) continue;
      leastMs = apartMs;
      dropped = nth;
    }
    this.#spare = this.#moments.splice(dropped, 1)[0]?.clock;
  }
}
