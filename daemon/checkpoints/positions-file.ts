import { z } from 'zod';
import { type ResumePoint, resumePoint } from './checkpoint.ts';

/** Resume points by session id. */
export type Positions = ReadonlyMap<string, ResumePoint>;

const file = z.object({ version: z.literal(1), sessions: z.record(z.string(), z.unknown()) });

/** The text of a positions file, the changing part of many checkpoints. It contains nothing from a start request. */
export function writePositions(positions: Positions): string {
  // An object of a thousand sessions would cost more than all the text.
  const sessions = Array.from(
    positions,
    ([sessionId, point]) => `${JSON.stringify(sessionId)}:${JSON.stringify(point)}`,
  );
  return `{"version":1,"sessions":{${sessions.join(',')}}}`;
}

/**
 * Parses the text of `writePositions`; skips and reports sessions that are broken. Throws if the text is anything else.
 */
export function readPositions(text: string, onBroken: (sessionId: string, error: Error) => void): Positions {
  const positions = new Map<string, ResumePoint>();
  for (const [sessionId, written] of Object.entries(file.parse(JSON.parse(text)).sessions)) {
    const { data: point, error } = resumePoint.safeParse(written);
    if (point) positions.set(sessionId, point);
    else onBroken(sessionId, error);
  }
  return positions;
}

/** Keeps the newest resume point of every session. */
export function newest(all: readonly Positions[]): Positions {
  const latest = new Map<string, ResumePoint>();
  for (const [sessionId, point] of all.flatMap((positions) => [...positions])) {
    const known = latest.get(sessionId);
    if (!known || known.savedAtEpochMs < point.savedAtEpochMs) latest.set(sessionId, point);
  }
  return latest;
}
