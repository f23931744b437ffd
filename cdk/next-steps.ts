import { Aws, CfnOutput, Fn } from 'aws-cdk-lib';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { IntegratordStack } from './stack.ts';

export interface NextStepsProps {
  readonly settings: Settings;
  readonly secrets: Secrets;
}

/** Says, as outputs of the stack, what is left to do and by which names. */
export function tellNextSteps(stack: IntegratordStack, { settings, secrets }: NextStepsProps): void {
  const tell = (name: string, description: string, value: string) => new CfnOutput(stack, name, { description, value });
  const group = stack.fleet.group.autoScalingGroupName;
  const region = `--region ${Aws.REGION}`;

  tell(
    'TriggerFunctionArn',
    'For the Invoke AWS Lambda function block of your contact flow',
    stack.trigger.function.functionArn,
  );
  tell('FleetName', 'The Auto Scaling group', group);
  tell('FleetLogGroup', "The daemons' logs, a stream for each instance", stack.logs.fleet.logGroupName);
  tell('TriggerLogGroup', "The trigger's logs", stack.logs.trigger.logGroupName);
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
  tell('Dashboard', 'Calls, lag, holes, capacity, drains and alarms on one page', stack.dashboard.url);
  tell(
    'Watch',
    'What the instances do, as it happens',
    Fn.join('', [`aws logs tail ${region} --follow `, stack.logs.fleet.logGroupName]),
  );
}
