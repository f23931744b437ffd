import { type CfnAutoScalingInstanceRefreshPreferences, Duration } from 'aws-cdk-lib';
import {
  type AutoScalingGroup,
  type CfnAutoScalingGroup,
  InstanceRefreshStrategy,
  ScaleInProtectedInstances,
  StandbyInstances,
} from 'aws-cdk-lib/aws-autoscaling';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { WARM_UP } from './timing.ts';

/** The first new instances take calls alone with the old ones for this long. */
const CHECKPOINT_PERCENT = 10;
const CHECKPOINT_DELAY = Duration.minutes(10);
/** An alarm about calls needs 5 minutes of them. */
const BAKE_TIME = Duration.minutes(10);

/** `guarded` by alarms; `unguarded`, to replace a fleet whose alarms are on; `by-hand`, not with the stack. */
export const ROLL_OUTS = ['guarded', 'unguarded', 'by-hand'] as const;

interface RollOut {
  readonly mode: (typeof ROLL_OUTS)[number];
  /** Must not depend on the group, which depends on them. */
  readonly alarms: readonly Alarm[];
}

/**
 * Makes CloudFormation replace the instances when their launch template changes, and wait for the end: new ones first,
 * some of them before the others. It fails, and the stack rolls back, if an alarm is on meanwhile.
 *
 * A rollback uses the policy of the template that it returns to (the guide to aws-autoscaling in aws-cdk-lib): it is guarded
 * by the alarms after a guarded deployment, and replaces no instance after one by hand (README.md, "Rolling out a new image
 * or new daemon settings").
 */
export function rollOutWithStack(group: AutoScalingGroup, { mode, alarms }: RollOut): void {
  if (mode === 'by-hand') return;
  const resource = group.node.defaultChild as CfnAutoScalingGroup;
  const guard = mode === 'guarded' ? { alarmSpecification: { alarms: alarms.map(({ alarmName }) => alarmName) } } : {};
  const preferences: CfnAutoScalingInstanceRefreshPreferences = {
    // Launch before terminate, and drains in parallel.
    minHealthyPercentage: 100,
    maxHealthyPercentage: 200,
    instanceWarmup: WARM_UP.toSeconds(),
    skipMatching: true,
    checkpointPercentages: [CHECKPOINT_PERCENT, 100],
    checkpointDelay: CHECKPOINT_DELAY.toSeconds(),
    bakeTime: BAKE_TIME.toSeconds(),
    // Somebody examines it: it stays, and does not hold up the others.
    standbyInstances: StandbyInstances.IGNORE,
    scaleInProtectedInstances: ScaleInProtectedInstances.REFRESH,
    ...guard,
  };
  resource.cfnOptions.updatePolicy = {
    ...resource.cfnOptions.updatePolicy,
    autoScalingInstanceRefresh: { strategy: InstanceRefreshStrategy.ROLLING, preferences },
  };
}
