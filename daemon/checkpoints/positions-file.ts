import { z } from 'zod';
import { type ResumePoint, resumePoint } from './checkpoint.ts';

/** Per session id, where it is. */
export type Positions = ReadonlyMap<string, ResumePoint>;

const file = z.object({ version: z.literal(1), sessions: z.record(z.string(), z.unknown()) });

/** The text of a positions file: the moving parts of many checkpoints. It holds nothing that callers said or asked for. */
export function writePositions(positions: Positions): string {
  return JSON.stringify({ version: 1, sessions: Object.fromEntries(positions) });
}

/**
 * Reads what `writePositions` wrote; tells of each session that is written otherwise, and leaves it out. Throws when the
 * whole is anything else.
 */
export function readPositions(text: string, onBroken: (sessionId: string, error: Error) => void): Positions {
  const positions = new Map<string, ResumePoint>();
  for (const [sessionId, written] of Object.entries(file.parse(JSON.parse(text)).sessions)) {
    const { data: where, error } = resumePoint.safeParse(written);
    if (where) positions.set(sessionId, where);
    else onBroken(sessionId, error);
  }
  return positions;
}

/** Of every session the newest that is known of it. */
export function newest(all: readonly Positions[]): Positions {
  const latest = new Map<string, ResumePoint>();
  for (const [sessionId, where] of all.flatMap((positions) => [...positions])) {
    const known = latest.get(sessionId);
    if (!known || known.savedAtEpochMs < where.savedAtEpochMs) latest.set(sessionId, where);
  }
  return latest;
}
