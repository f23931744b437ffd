import { Duration } from 'aws-cdk-lib';

/** Short, so that a drain is noticed soon. */
export const HEALTH_CHECK = {
  interval: Duration.seconds(5),
  timeout: Duration.seconds(3),
  unhealthyThresholdCount: 2,
  healthyThresholdCount: 2,
} as const;

/**
 * HEALTH_LAG_MS: how long a drain still accepts starts, because the load balancer may not have noticed it yet. In the
 * worst case that takes 5 s to the first check, 5 s to the second, and 3 s for that to time out; the rest is margin.
 */
export const HEALTH_LAG = Duration.seconds(20);

/** The trigger gives up on a start after 6.5 s, and calls do not pass through the load balancer: no request is cut. */
export const DEREGISTRATION_DELAY = Duration.seconds(10);

/** The longest that a contact flow waits for a Lambda function; the trigger responds within 7 s. */
export const TRIGGER_TIMEOUT = Duration.seconds(8);

/** From launch to the first session takes one minute, rarely two; a slower instance is replaced. */
export const LAUNCH_TIMEOUT = Duration.minutes(10);

/** For ending the remaining sessions at a drain's deadline, and for completing the lifecycle action. */
const DRAIN_MARGIN = Duration.minutes(15);

/** The group waits this long for an instance that died during its drain; a shorter time leaves too little for three heartbeats. */
const SHORTEST_HEARTBEAT = Duration.minutes(5);

/** Auto Scaling's limit: 100 times the heartbeat timeout (and 48 h, which settings.ts enforces). */
const MAX_HEARTBEATS = 100;

/** The terminating hook's heartbeat timeout, long enough for a drain to reach its deadline. */
export function heartbeatTimeout(drainDeadline: Duration): Duration {
  const needed = drainDeadline.plus(DRAIN_MARGIN).toSeconds() / MAX_HEARTBEATS;
  return Duration.seconds(Math.max(SHORTEST_HEARTBEAT.toSeconds(), Math.ceil(needed)));
}

/** A new instance counts for scaling after it had time to get its share of new calls. */
export const WARM_UP = Duration.minutes(2);
