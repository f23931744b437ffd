import type { Aligner } from '../audio/aligner.ts';
import type { SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { CheckpointSource, Checkpoints } from '../checkpoints/checkpoints.ts';
import type { StartRequest } from '../contract/start-request.ts';
import type { TraceId } from '../contract/traceparent.ts';
import type { Link } from '../deepgram/link.ts';
import type { Position } from '../kinesis/contact.ts';
import type { Millis } from '../runtime/clock.ts';
import type { StartingPoint } from './seed.ts';

/** What a resume point is made of, and where it goes. */
export interface TrackedParts {
  readonly aligner: Pick<Aligner, 'hasBegun' | 'reachMs' | 'callClock'>;
  readonly link: Pick<Link, 'safeMs' | 'connections'>;
  readonly checkpoints: Pick<Checkpoints, 'track' | 'freeze'> | undefined;
}

/** Knows where a session can resume: which fragments it has read, and up to where in the call each of them reaches. */
export class ResumeTracker implements CheckpointSource {
  readonly sessionId: string;
  readonly traceId: TraceId;
  readonly request: StartRequest;
  readonly #parts: TrackedParts;
  readonly #fragments: { readonly position: Position; readonly endMs: Millis }[] = [];
  #last: StartingPoint['position'];

  constructor({ sessionId, traceId, request }: SessionIdentity, start: StartingPoint['position'], parts: TrackedParts) {
    this.sessionId = sessionId;
    this.traceId = traceId;
    this.request = request;
    this.#last = start;
    this.#parts = parts;
  }

  /** All of the contact up to `position` is read, and given to the aligner. */
  note(position: Position | undefined): void {
    const { aligner, checkpoints } = this.#parts;
    // Before the call has begun nothing of it has a place yet, however much of it has been read.
    if (!checkpoints || !aligner.hasBegun) return;
    if (position && position !== this.#fragments.at(-1)?.position) {
      this.#fragments.push({ position, endMs: aligner.reachMs });
    }
    checkpoints.track(this);
  }

  /** The session reads no more: it would resume from here, whatever is done to end it. */
  freeze(): void {
    this.#parts.checkpoints?.freeze(this.sessionId);
  }

  /** After the last fragment whose audio Deepgram has in whole, and will not be sent again. */
  resumePoint(): StartingPoint {
    const { aligner, link } = this.#parts;
    const callMs = link.safeMs;
    return { position: this.#before(callMs), callClock: aligner.callClock, callMs, connections: link.connections };
  }

  /** The fragment after which everything from `callMs` of the call on comes. */
  #before(callMs: Millis): StartingPoint['position'] {
    while ((this.#fragments[0]?.endMs ?? Infinity) <= callMs) {
      this.#last = this.#fragments.shift()?.position ?? this.#last;
    }
    return this.#last;
  }
}
