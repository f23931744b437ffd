import type { Span } from './comparison.ts';

/** The daemon's REPLAY_MS in a load run. */
export const REPLAY_MS = 1000;
/** What a reconnect repeats with a callback: REPLAY_MS and a second, and no more. */
const REPEATED_MS = REPLAY_MS + 1000;
/** RFC 6455, 7.1.5: the close code of a connection that ended without a close frame. */
export const ABNORMAL_CLOSURE = 1006;

/** A stretch of a call that one connection brought: where it begins, where what was read of it ends, how it closed. */
export interface Brought {
  readonly fromMs: number;
  readonly toMs: number;
  readonly closeCode: number;
}

/** A connection in place of a lost one. */
export interface Reconnect {
  /** How that had closed. */
  readonly closeCode: number;
  /** How much of the call was sent again: what was read twice, and what had been sent but was never read. */
  readonly replayedMs: Span;
  /** The latter alone: what was under way when the connection broke. */
  readonly unreadMs: Span;
}

/**
 * The reconnects of a call, from its connections first to last. What was under way when a connection broke nobody but
 * the daemon has seen; but it goes on REPEATED_MS before the last that it sent, so where that is tells how far it had
 * come. Only a connection that goes on where the one before it had begun leaves this open: there was not so much.
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
