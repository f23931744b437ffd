import { Aws, CfnOutput, Fn, type Stack } from 'aws-cdk-lib';
import type { Dashboard } from './dashboard.ts';
import type { Fleet } from './fleet.ts';
import type { Logs } from './logs.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { Trigger } from './trigger.ts';

export interface NextStepsProps {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly fleet: Fleet;
  readonly logs: Logs;
  readonly trigger: Trigger;
  readonly dashboard: Dashboard;
}

/** Says, as outputs of the stack, what is left to do and by which names. */
export function tellNextSteps(stack: Stack, props: NextStepsProps): void {
  const { settings, secrets, fleet, logs, trigger, dashboard } = props;
  const tell = (name: string, description: string, value: string) => new CfnOutput(stack, name, { description, value });
  const group = fleet.group.autoScalingGroupName;
  const region = `--region ${Aws.REGION}`;

  tell(
    'TriggerFunctionArn',
    'For the Invoke AWS Lambda function block of your contact flow',
    trigger.function.functionArn,
  );
  tell('FleetName', 'The Auto Scaling group', group);
  tell('FleetLogGroup', "The daemons' logs, a stream for each instance", logs.fleet.logGroupName);
  tell('TriggerLogGroup', "The trigger's logs", logs.trigger.logGroupName);
  if (secrets.isKeyEmpty) {
    tell(
      'FillDeepgramKey',
      "Reads Deepgram's API key from the terminal: paste it, then Enter and Ctrl-D; no instance takes a call without it",
      `aws secretsmanager put-secret-value ${region} --secret-id ${secrets.deepgramKey.secretArn} --secret-string file:///dev/stdin`,
    );
  }
  if (settings.connectInstanceArn === undefined) {
    tell(
      'LetConnectInvokeIt',
      'Deploy again with your Connect instance, or no contact flow can invoke the trigger',
      'npm run cdk -- deploy -c connectInstanceArn=arn:aws:connect:…  (and the settings of this deployment)',
    );
  }
  tell(
    'RollOut',
    'After a deployment with another image or setting: replaces the instances, each after its last call',
    `aws autoscaling start-instance-refresh ${region} --auto-scaling-group-name ${group} --preferences '{"SkipMatching":true}'`,
  );
  tell('Dashboard', 'Calls, lag, holes, capacity, drains and alarms on one page', dashboard.url);
  tell(
    'Watch',
    'What the instances do, as it happens',
    Fn.join('', [`aws logs tail ${region} --follow `, logs.fleet.logGroupName]),
  );
}
