import { Duration } from 'aws-cdk-lib';

/** The load balancer looks so often, and believes so many failures in a row, each of which may take the time-out. */
export const HEALTH_CHECK = {
  interval: Duration.seconds(5),
  timeout: Duration.seconds(3),
  unhealthyThresholdCount: 2,
  healthyThresholdCount: 2,
} as const;

/**
 * HEALTH_LAG_MS: for so long a drain goes on taking starts, because the load balancer may not know of it yet. Its
 * worst case is 5 s to the first look, 5 s to the second, and 3 s for that to fail; the rest is for it to act.
 */
export const HEALTH_LAG = Duration.seconds(20);

/** The trigger gives up on a start after 6.5 s: past that no request is under way, and calls do not come this way. */
export const DEREGISTRATION_DELAY = Duration.seconds(10);

/** The longest that a contact flow waits for a Lambda function; the trigger itself answers within 7 s. */
export const TRIGGER_TIMEOUT = Duration.seconds(8);

/** From a launch to the daemon that takes sessions: a minute, seldom two. What takes longer is replaced. */
export const LAUNCH_TIMEOUT = Duration.minutes(10);

/** For ending what still runs at a drain's deadline, and for the daemon to say that it is done. */
const DRAIN_MARGIN = Duration.minutes(15);

/** An instance that has died on its way out keeps its group waiting for so long: no less makes sense for three beats. */
const SHORTEST_HEARTBEAT = Duration.minutes(5);

/** Auto Scaling waits for 100 heartbeats' time-outs at the most (and for 48 h, which settings.ts sees to). */
const HEARTBEATS_AT_MOST = 100;

/** The time-out of the terminating hook's heartbeat with which a drain can last until its deadline. */
export function heartbeatTimeout(drainDeadline: Duration): Duration {
  const needed = drainDeadline.plus(DRAIN_MARGIN).toSeconds() / HEARTBEATS_AT_MOST;
  return Duration.seconds(Math.max(SHORTEST_HEARTBEAT.toSeconds(), Math.ceil(needed)));
}

/** A new instance counts for scaling once it has had time to get its share of new calls. */
export const WARM_UP = Duration.minutes(2);
