import type { Aligner } from '../audio/aligner.ts';
import type { PackedClock } from '../audio/packed-clock.ts';
import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { CheckpointSource, Checkpoints } from '../checkpoints/checkpoints.ts';
import type { StartRequest } from '../contract/start-request.ts';
import type { TraceId } from '../contract/traceparent.ts';
import type { Link } from '../deepgram/link.ts';
import type { Position } from '../kinesis/contact.ts';
import type { Millis } from '../runtime/clock.ts';
import type { GapReporter } from './gap-report.ts';
import type { StartingPoint } from './seed.ts';

type TrackedAligner = Pick<Aligner, 'hasBegun' | 'reachMs' | 'callClock' | 'beginning'>;

/** What resume points are made from beside the aligner, and where they go. */
interface TrackedParts {
  readonly link: Pick<Link, 'safeMs' | 'connections'>;
  readonly gaps: Pick<GapReporter, 'beforeMs' | 'missedAtStartMs'>;
  readonly checkpoints: Pick<Checkpoints, 'track' | 'changed' | 'freeze'> | undefined;
}

/** Each takes 700 bytes. With fewer of them a session reads a few seconds more again. */
const MOST_MOMENTS = 4;

/** A moment of the call, when the fragment at `position` had been read. */
interface Moment {
  readonly position: Position;
  /** All audio placed by then ends here. */
  readonly endMs: Millis;
  readonly clock: PackedClock | undefined;
}

/**
 * Knows where a session can resume: the fragments it has read, and how the call's clock stood after each one. Times
 * alone do not tell a block's place to the sample, so a session resumes with the clock of one moment and reads again
 * from a fragment before it: then the blocks that were placed last come again and show the place.
 */
export class ResumeTracker implements CheckpointSource {
  readonly sessionId: string;
  readonly traceId: TraceId;
  readonly request: StartRequest;
  readonly timeZeroEpochMs: Millis;
  readonly #parts: TrackedParts;
  /** The one in use. */
  #aligner: TrackedAligner;
  readonly #moments: Moment[] = [];
  #noted: Position | undefined;
  #isTracked = false;
  #readFrom: StartingPoint['position'];
  #next: StartingPoint['position'];
  /** Undefined: the beginning of the call. */
  #clock: PackedClock | undefined;
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
    this.#readFrom = start;
    this.#next = start;
    this.#aligner = aligner;
    this.#parts = parts;
  }

  /** Call this when everything up to `position` has been read and given to the aligner. */
  note(position: Position | undefined): void {
    const { checkpoints } = this.#parts;
    const aligner = this.#aligner;
    // Audio has no place in the call before the aligner knows where the call begins.
    if (!aligner.hasBegun) return;
    if (position && position !== this.#noted) {
      this.#noted = position;
      this.#passSafe();
      if (this.#moments.length === MOST_MOMENTS) this.#spare = this.#moments.pop()?.clock;
      this.#moments.push({ position, endMs: aligner.reachMs, clock: aligner.callClock(this.#spare) });
      this.#spare = undefined;
    }
    if (this.#isTracked) checkpoints?.changed();
    else checkpoints?.track(this);
    this.#isTracked = true;
  }

  /** Continues from a resume point of its own: the call is read again from there. */
  restart({ position, callClock }: Pick<StartingPoint, 'position' | 'callClock'>, aligner: TrackedAligner): void {
    this.#aligner = aligner;
    this.#moments.length = 0;
    this.#noted = undefined;
    this.#readFrom = position;
    this.#next = position;
    this.#clock = callClock?.slice();
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
    const callClock = this.#clock?.slice() ?? this.#aligner.beginning;
    const position = this.#readFrom;
    // A process that reads from the start of the call detects this gap again.
    const missedAtStartMs = 'isCallStart' in position ? 0 : gaps.missedAtStartMs;
    const gapMs = gaps.beforeMs(callMs) + missedAtStartMs;
    return { position, callClock, callMs, gapMs, connections: link.connections };
  }

  /** Passes the moments up to which all audio is safe; returns how far that is. */
  #passSafe(): Millis {
    const callMs = this.#parts.link.safeMs;
    for (let moment = this.#moments[0]; moment && moment.endMs <= callMs; moment = this.#moments[0]) {
      this.#moments.shift();
      this.#readFrom = this.#next;
      this.#next = moment.position;
      this.#spare = this.#clock;
      this.#clock = moment.clock;
    }
    return callMs;
  }
}
