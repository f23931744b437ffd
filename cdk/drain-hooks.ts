import type { Duration } from 'aws-cdk-lib';
import {
  type AutoScalingGroup,
  type CfnAutoScalingGroup,
  DefaultResult,
  LifecycleTransition,
} from 'aws-cdk-lib/aws-autoscaling';
import { heartbeatTimeout, LAUNCH_TIMEOUT } from './timing.ts';

/**
 * Adds the lifecycle hooks that make the group wait: at launch until the daemon accepts sessions, at termination until
 * the last call has ended. The daemon completes both (daemon/lifecycle). They are a property of the group instead of
 * resources of their own, so that they exist before its first instance.
 */
export function waitForCalls(group: AutoScalingGroup, drainDeadline: Duration): void {
  const resource = group.node.defaultChild as CfnAutoScalingGroup;
  resource.lifecycleHookSpecificationList = [
    {
      // Names are local to the group.
      lifecycleHookName: 'until-it-takes-sessions',
      lifecycleTransition: LifecycleTransition.INSTANCE_LAUNCHING,
      heartbeatTimeout: LAUNCH_TIMEOUT.toSeconds(),
      // An instance that accepts no sessions must not count as capacity: it is replaced.
      defaultResult: DefaultResult.ABANDON,
    },
    {
      lifecycleHookName: 'until-the-last-call',
      lifecycleTransition: LifecycleTransition.INSTANCE_TERMINATING,
      heartbeatTimeout: heartbeatTimeout(drainDeadline).toSeconds(),
      // Without heartbeats the daemon is dead, and its calls with it: there is nothing to wait for.
      defaultResult: DefaultResult.CONTINUE,
    },
  ];
}
