import type { Millis } from '../runtime/clock.ts';

/** With nothing left to process, Deepgram answers CloseStream with the last results within a second or two. */
const LAST_RESULTS_MS: Millis = 10_000;
/** However long the backlog: a line that never closes ends here. */
const LONGEST_MS: Millis = 900_000;

/** The state of a line after CloseStream. */
interface Closing {
  readonly closeStreamAtMs: Millis;
  /** What was not processed at CloseStream, if Deepgram only kept up with real time. */
  readonly backlogMs: Millis;
  /** When a result last reached further into the call; -Infinity without results. */
  readonly progressAtMs: Millis;
}

/** How long a line may stay open after CloseStream: as long as the backlog needs, and while results make progress. */
export function waitsUntilMs({ closeStreamAtMs, backlogMs, progressAtMs }: Closing): Millis {
  const untilMs = Math.max(closeStreamAtMs + backlogMs, progressAtMs) + LAST_RESULTS_MS;
  return Math.min(untilMs, closeStreamAtMs + LONGEST_MS);
}
