import { type CfnCompositeAlarm, CompositeAlarm, type IAlarmRule } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { withRunbook } from './runbook.ts';

/** A composite alarm with a runbook. CloudFormation generates its name, which is unique among stacks. */
export function compositeAlarm(
  scope: Construct,
  id: string,
  alarmRule: IAlarmRule,
  description: string,
): CompositeAlarm {
  const alarm = new CompositeAlarm(scope, id, { alarmRule, alarmDescription: withRunbook(id, description) });
  (alarm.node.defaultChild as CfnCompositeAlarm).addPropertyDeletionOverride('AlarmName');
  return alarm;
}
