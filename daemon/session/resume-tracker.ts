import type { Aligner } from '../audio/aligner.ts';
import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { CheckpointSource, Checkpoints } from '../checkpoints/checkpoints.ts';
import type { StartRequest } from '../contract/start-request.ts';
import type { TraceId } from '../contract/traceparent.ts';
import type { Link } from '../deepgram/link.ts';
import type { Position } from '../kinesis/contact.ts';
import type { Millis } from '../runtime/clock.ts';
import type { StartingPoint } from './seed.ts';

/** What resume points are made from, and where they go. */
export interface TrackedParts {
  readonly aligner: Pick<Aligner, 'hasBegun' | 'reachMs' | 'callClock'>;
  readonly link: Pick<Link, 'safeMs' | 'connections'>;
  readonly checkpoints: Pick<Checkpoints, 'track' | 'freeze'> | undefined;
}

/** Knows where a session can resume: the fragments it has read, and the call time at which each one ends. */
export class ResumeTracker implements CheckpointSource {
  readonly sessionId: string;
  readonly traceId: TraceId;
  readonly request: StartRequest;
  readonly timeZeroEpochMs: Millis;
  readonly #parts: TrackedParts;
  readonly #fragments: { readonly position: Position; readonly endMs: Millis }[] = [];
  #last: StartingPoint['position'];

  constructor(identity: SessionIdentity, start: StartingPoint['position'], parts: TrackedParts) {
    this.sessionId = identity.sessionId;
    this.traceId = identity.traceId;
    this.request = identity.request;
    this.timeZeroEpochMs = identity.timeZeroEpochMs;
    this.#last = start;
    this.#parts = parts;
  }

  /** Call this when everything up to `position` has been read and given to the aligner. */
  note(position: Position | undefined): void {
    const { aligner, checkpoints } = this.#parts;
    // Audio has no place in the call before the aligner knows where the call begins.
    if (!checkpoints || !aligner.hasBegun) return;
    if (position && position !== this.#fragments.at(-1)?.position) {
      this.#fragments.push({ position, endMs: aligner.reachMs });
    }
    checkpoints.track(this);
  }

  /** Fixes the resume point, because the session has stopped reading. */
  freeze(): void {
    this.#parts.checkpoints?.freeze(this.sessionId);
  }

  /** After the last fragment whose audio is safe at Deepgram. */
  resumePoint(): StartingPoint {
    const { aligner, link } = this.#parts;
    const callMs = link.safeMs;
    return { position: this.#before(callMs), callClock: aligner.callClock, callMs, connections: link.connections };
  }

  /** The last fragment that ends at or before `callMs`. */
  #before(callMs: Millis): StartingPoint['position'] {
    while ((this.#fragments[0]?.endMs ?? Infinity) <= callMs) {
      this.#last = this.#fragments.shift()?.position ?? this.#last;
    }
    return this.#last;
  }
}
