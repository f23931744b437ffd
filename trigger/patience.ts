import type { Millis } from '../daemon/runtime/clock.ts';

/** How the seconds that a contact flow grants us are spent. */
export type Patience = {
  /** From the start of the invocation to our answer. */
  budgetMs: Millis;
  /** For a connection to the integrator, name look-up and TLS included. */
  connectMs: Millis;
  /** By how much the integrator must give up before we do. */
  answerMarginMs: Millis;
  /** What a further attempt must have left to be worth making. */
  leastAttemptMs: Millis;
  /** Before the second attempt; doubles with every further one. */
  firstPauseMs: Millis;
  longestPauseMs: Millis;
};

export const PATIENCE: Patience = Object.freeze({
  // The flow waits 8 s at most, and a cold start is counted in: trigger/README.md sets our share to less than 7 s.
  budgetMs: 6500,
  // A load balancer in the same VPC connects in about 1 ms; one lost SYN is sent again after 1 s.
  connectMs: 2000,
  // A session that was started must not be reported as failed because its answer was on the way.
  answerMarginMs: 300,
  // Kinesis' endpoint, GetMedia and Deepgram's handshake, one after the other, over slow lines.
  leastAttemptMs: 1200,
  // Short: the load balancer usually picks another instance at the second try.
  firstPauseMs: 100,
  // Keeps several tries in the budget when a whole fleet is full for a moment.
  longestPauseMs: 800,
});

/** For Lambda's own work after our answer, when the function's time limit is nearer than the budget's end. */
const LAMBDA_MARGIN_MS = 250;

/** When an invocation that started at `startedMs` must have answered; `lambdaLeftMs` is what Lambda grants it, if known. */
export function deadlineMs(startedMs: Millis, patience: Patience, lambdaLeftMs: Millis | undefined): Millis {
  const granted = lambdaLeftMs === undefined ? patience.budgetMs : lambdaLeftMs - LAMBDA_MARGIN_MS;
  return startedMs + Math.min(patience.budgetMs, granted);
}

/** How long to wait before another attempt, `attempt` (from 1) having failed with `leftMs` to go; undefined when
 *  there is no time for another. `random` is in [0, 1). */
export function pauseMs(
  attempt: number,
  { retryAfterMs, leftMs, random }: { retryAfterMs: Millis; leftMs: Millis; random: number },
  patience: Patience,
): Millis | undefined {
  const spareMs = leftMs - patience.leastAttemptMs;
  if (spareMs <= 0) return undefined;
  const fullMs = Math.min(patience.firstPauseMs * 2 ** (attempt - 1), patience.longestPauseMs);
  // Between half and whole: invocations that failed together do not come back together.
  const jitteredMs = (fullMs * (1 + random)) / 2;
  return Math.min(Math.max(jitteredMs, retryAfterMs), spareMs);
}
