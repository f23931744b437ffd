import type { Checkpoint, ResumePoint, SessionIdentity } from '../checkpoints/checkpoint.ts';

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

/** A new session starts after the fragment that Connect names, at time 0 of the call. */
export function startingPointOf(seed: SessionSeed): StartingPoint {
  if (seed.kind === 'resumed') return seed.checkpoint;
  const { startFragmentNumber } = seed.request.kvsStream;
  return { position: { fragmentNumber: startFragmentNumber }, callClock: undefined, callMs: 0, connections: 0 };
}
