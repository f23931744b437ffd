import type { Duration } from 'aws-cdk-lib';
import {
  type AutoScalingGroup,
  type CfnAutoScalingGroup,
  DefaultResult,
  LifecycleTransition,
} from 'aws-cdk-lib/aws-autoscaling';
import { heartbeatTimeout, LAUNCH_TIMEOUT } from './timing.ts';

/**
 * Makes the group wait for its instances: on their way in until the daemon takes sessions, on their way out until the
 * last call is over. The daemon completes both (daemon/lifecycle). They are part of the group and no resources beside
 * it, so that they are there before its first instance.
 */
export function waitForCalls(group: AutoScalingGroup, drainDeadline: Duration): void {
  const resource = group.node.defaultChild as CfnAutoScalingGroup;
  resource.lifecycleHookSpecificationList = [
    {
      // A name within the group only.
      lifecycleHookName: 'until-it-takes-sessions',
      lifecycleTransition: LifecycleTransition.INSTANCE_LAUNCHING,
      heartbeatTimeout: LAUNCH_TIMEOUT.toSeconds(),
      // One that takes none must not count as capacity: it is terminated, and another launched.
      defaultResult: DefaultResult.ABANDON,
    },
    {
      lifecycleHookName: 'until-the-last-call',
      lifecycleTransition: LifecycleTransition.INSTANCE_TERMINATING,
      heartbeatTimeout: heartbeatTimeout(drainDeadline).toSeconds(),
      // Without a heartbeat the daemon is gone and its calls with it: there is nothing left to wait for.
      defaultResult: DefaultResult.CONTINUE,
    },
  ];
}
