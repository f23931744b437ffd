import type { Span } from './comparison.ts';

/** What the daemon is told to send again after a reconnect (its REPLAY_MS): with a callback, that and no more. */
export const REPLAY_MS = 2000;
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
 * the daemon has seen; but it goes on REPLAY_MS before the last that it sent, so where that is tells how far it had
 * come. Only a connection that goes on where the one before it had begun leaves this open: there was not so much.
 */
export function reconnectsOf(connections: readonly Brought[]): Reconnect[] {
  return connections.slice(1).map(({ fromMs }, index) => {
    const lost = connections[index] as Brought;
    const readTwiceMs = lost.toMs - fromMs;
    const isTold = fromMs > lost.fromMs;
    const least = Math.max(0, readTwiceMs, isTold ? REPLAY_MS : 0);
    const most = Math.max(readTwiceMs, REPLAY_MS);
    return {
      closeCode: lost.closeCode,
      replayedMs: { least, most },
      unreadMs: { least: least - readTwiceMs, most: most - readTwiceMs },
    };
  });
}
