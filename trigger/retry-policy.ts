import { backoffMs } from '../daemon/runtime/backoff.ts';
import type { Millis } from '../daemon/runtime/clock.ts';

/** How an invocation spends the seconds that a contact flow allows it. */
export const RETRY_POLICY = {
  /**
   * From the start of the invocation to our response. The flow waits 8 s at most, cold start included;
   * trigger/README.md sets our share to less than 7 s.
   */
  budgetMs: 6500,
  /** To connect, DNS and TLS included: within a VPC that takes about 1 ms, and a lost SYN is sent again after 1 s. */
  connectMs: 2000,
  /**
   * How much earlier than the trigger the integrator must give up: a session that was started must not be reported as
   * failed because the response was still on its way.
   */
  responseMarginMs: 300,
  /** Not worth another attempt with less time left: Kinesis and Deepgram are three round trips over slow lines. */
  minAttemptMs: 1200,
  /** Before the second attempt, doubling with each further one. The load balancer usually picks another instance. */
  firstDelayMs: 100,
  /**
   * How many retries do not wait for an instance's Retry-After, which speaks only for that instance. With two instances
   * one retry in two meets the same one again.
   */
  retriesElsewhere: 3,
  /** Allows several attempts within the budget while a whole fleet is at capacity for a moment. */
  longestDelayMs: 800,
} as const;

/** For Lambda's own work after our response, if the function's timeout is nearer than the budget's end. */
const LAMBDA_MARGIN_MS: Millis = 250;

/** When an invocation that started at `startedMs` must respond; `lambdaLeftMs` is Lambda's remaining time, if known. */
export function deadlineOf(startedMs: Millis, lambdaLeftMs: Millis = Infinity): Millis {
  return startedMs + Math.min(RETRY_POLICY.budgetMs, lambdaLeftMs - LAMBDA_MARGIN_MS);
}

type RetryCircumstances = {
  /** What the integrator's Retry-After asks for; 0 if it does not. */
  retryAfterMs: Millis;
  /** True if another instance may accept the start. */
  isOfInstance: boolean;
  /** Until the invocation's deadline. */
  leftMs: Millis;
  /** In [0, 1). */
  random: () => number;
};

/** The delay before the next attempt after attempt number `attempt` (from 1) failed; undefined if no time is left. */
export function retryDelayMs(
  attempt: number,
  { retryAfterMs, isOfInstance, leftMs, random }: RetryCircumstances,
): Millis | undefined {
  const { minAttemptMs, firstDelayMs, longestDelayMs, retriesElsewhere } = RETRY_POLICY;
  const spareMs = leftMs - minAttemptMs;
  if (spareMs <= 0) return undefined;
  const jitteredMs = backoffMs(attempt - 1, { firstMs: firstDelayMs, longestMs: longestDelayMs, random });
  const requestedMs = isOfInstance && attempt <= retriesElsewhere ? 0 : retryAfterMs;
  return Math.min(Math.max(jitteredMs, requestedMs), spareMs);
}
