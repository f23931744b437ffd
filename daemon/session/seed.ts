import type { Checkpoint, ResumePoint, SessionIdentity } from '../checkpoints/checkpoint.ts';
import type { StartRequest } from '../contract/start-request.ts';
import { START_MARGIN_MS } from '../kinesis/contact.ts';
import type { Millis } from '../runtime/clock.ts';

/** A session from a start request. */
export interface NewSession extends SessionIdentity {
  readonly kind: 'new';
}

/** What a session starts from: a start request, or the checkpoint of an interrupted session. */
export type SessionSeed = NewSession | { readonly kind: 'resumed'; readonly checkpoint: Checkpoint };

/** Where a session starts in its stream and its call, and how many connections to Deepgram it has had. */
export type StartingPoint = Omit<ResumePoint, 'savedAtEpochMs'>;

export function identityOf(seed: SessionSeed): SessionIdentity {
  return seed.kind === 'new' ? seed : seed.checkpoint;
}

/**
 * Wall time of call time 0: when Connect began to stream, which is the producer's time of the first audio to within a
 * fragment, or else `nowEpochMs`. The first connection needs it before any audio has arrived.
 */
export function timeZeroOf({ kvsStream }: StartRequest, nowEpochMs: Millis): Millis {
  const { startTimestamp } = kvsStream;
  return startTimestamp === undefined ? nowEpochMs : Math.min(Date.parse(startTimestamp), nowEpochMs);
}

/** A new session starts at the beginning of the call, which Connect names by a fragment and, if known, a time. */
export function startingPointOf(seed: SessionSeed): StartingPoint {
  if (seed.kind === 'resumed') return seed.checkpoint;
  const { startFragmentNumber: fragmentNumber, startTimestamp } = seed.request.kvsStream;
  const atEpochMs =
    startTimestamp === undefined ? undefined : Math.max(0, Date.parse(startTimestamp) - START_MARGIN_MS);
  const position = { isCallStart: true, fragmentNumber, atEpochMs } as const;
  return { position, callClock: undefined, callMs: 0, connections: 0 };
}
