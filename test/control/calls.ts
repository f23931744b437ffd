import type { SessionView } from '../../daemon/contract/control-api.ts';
import { aSession } from '../ctl/examples.ts';

/** This many sessions, oldest first: some late, some with gaps, one ending. Always the same. */
export function someSessions(count: number): SessionView[] {
  return Array.from({ length: count }, (_, index) => {
    const ageMs = (count - index) * 61_700 + 4200;
    const lagMs = index % 7 === 3 ? 1200 + index : 8 + ((index * 37) % 90);
    return aSession({
      sessionId: idOf('5e55', index),
      contactId: idOf('c0a1', index),
      state: index === count - 1 && count > 1 ? 'ending' : 'running',
      ageMs,
      audioMs: ageMs - 2000,
      lagMs,
      worstLagMs: lagMs + 240,
      repeatedMs: 0,
      gapMs: index % 11 === 5 ? 320 * (index + 1) : 0,
      reconnects: index % 9 === 4 ? 1 : 0,
      replayedMs: index % 9 === 4 ? 2000 : 0,
      deepgramRequestIds: [idOf('d6d6', index)],
    });
  });
}

/** A unique id that looks like Connect's. */
export function idOf(kind: string, index: number): string {
  return `${kind}${index.toString(16).padStart(4, '0')}-62ab-4f0c-9c1d-${(index * 7919 + 1).toString(16).padStart(12, '0')}`;
}
