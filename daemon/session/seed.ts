import type { Checkpoint, ResumePoint, SessionIdentity } from '../checkpoints/checkpoint.ts';

/** A session that a start request asks for. */
export interface NewSession extends SessionIdentity {
  readonly kind: 'new';
}

/** What a session is made from: a start request, or the checkpoint of a session that was cut off. */
export type SessionSeed = NewSession | { readonly kind: 'resumed'; readonly checkpoint: Checkpoint };

/** Where a session starts: in its stream, in its call, and after how many connections to Deepgram. */
export type StartingPoint = Omit<ResumePoint, 'savedAtEpochMs'>;

export function identityOf(seed: SessionSeed): SessionIdentity {
  return seed.kind === 'new' ? seed : seed.checkpoint;
}

/** A new session starts with the call, right after the fragment that Connect names. */
export function startingPointOf(seed: SessionSeed): StartingPoint {
  if (seed.kind === 'resumed') return seed.checkpoint;
  const { startFragmentNumber } = seed.request.kvsStream;
  return { position: { fragmentNumber: startFragmentNumber }, callClock: undefined, callMs: 0, connections: 0 };
}
