import type { Span } from './comparison.ts';

/** The daemon's REPLAY_MS in a load run. */
export const REPLAY_MS = 1000;
/** What a reconnect repeats with a callback: REPLAY_MS plus one second. */
const REPEATED_MS = REPLAY_MS + 1000;
/** RFC 6455, 7.1.5: the close code of a connection that ended without a close frame. */
export const ABNORMAL_CLOSURE = 1006;

/** The part of a call that one connection delivered, and how it closed. */
export interface Brought {
  readonly fromMs: number;
  readonly toMs: number;
  readonly closeCode: number;
}

/** A connection that replaced a lost one. */
export interface Reconnect {
  /** How the lost one closed. */
  readonly closeCode: number;
  /** Call time that was sent again: read twice, or sent before but never read. */
  readonly replayedMs: Span;
  /** The latter alone: in flight when the connection broke. */
  readonly unreadMs: Span;
}

/**
 * The reconnects of a call, from its connections in order. Only the daemon knows what was in flight when a connection
 * broke. But it resumes REPEATED_MS before the last audio it sent, which reveals how far it had come, unless the new
 * connection starts at the same position as the lost one.
 */
export function reconnectsOf(connections: readonly Brought[]): Reconnect[] {
  return connections.slice(1).map(({ fromMs }, index) => {
    const lost = connections[index] as Brought;
    const readTwiceMs = lost.toMs - fromMs;
    const isTold = fromMs > lost.fromMs;
    const least = Math.max(0, readTwiceMs, isTold ? REPEATED_MS : 0);
    const most = Math.max(readTwiceMs, REPEATED_MS);
    return {
      closeCode: lost.closeCode,
      replayedMs: { least, most },
      unreadMs: { least: least - readTwiceMs, most: most - readTwiceMs },
    };
  });
}
