import { Aws, CfnOutput, Fn, type Stack } from 'aws-cdk-lib';
import { ParameterTier, StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Dashboard } from './dashboard.ts';
import { settingsParameter } from './deployed-settings.ts';
import type { Fleet } from './fleet.ts';
import type { LoadBalancer } from './load-balancer.ts';
import type { Logs } from './logs.ts';
import type { Secrets } from './secrets.ts';
import { chosenSettings, type Settings } from './settings.ts';
import type { Trigger } from './trigger.ts';

interface NextStepsProps {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly fleet: Fleet;
  readonly loadBalancer: LoadBalancer;
  readonly logs: Logs;
  readonly trigger: Trigger;
  readonly dashboard: Dashboard;
}

/** Outputs of the stack: names, and what is left to do. */
export function addOutputs(stack: Stack, props: NextStepsProps): void {
  const { settings, secrets, fleet, loadBalancer, logs, trigger, dashboard } = props;
  const output = (name: string, description: string, value: string) =>
    new CfnOutput(stack, name, { description, value });
  const group = fleet.group.autoScalingGroupName;
  const region = `--region ${Aws.REGION}`;

  output(
    'TriggerFunctionArn',
    'For the Invoke AWS Lambda function block of your contact flow',
    trigger.function.functionArn,
  );
  output('FleetName', 'The Auto Scaling group', group);
  output('FleetLogGroup', "The daemons' logs, a stream per instance", logs.fleet.logGroupName);
  output('TriggerLogGroup', "The trigger's logs", logs.trigger.logGroupName);
  if (secrets.isKeyEmpty) {
    output(
      'FillDeepgramKey',
      "Reads Deepgram's API key from the terminal: paste it, then Enter and Ctrl-D; instances accept no calls without it",
      `aws secretsmanager put-secret-value ${region} --secret-id ${secrets.deepgramKey.secretArn} --secret-string file:///dev/stdin`,
    );
  }
  if (settings.connectInstanceArn?.length === 0) {
    output(
      'LetConnectInvokeIt',
      'Deploy again with your Connect instance; until then no contact flow can invoke the trigger',
      'npm run cdk -- deploy -c connectInstanceArn=arn:aws:connect:…  (and the settings of this deployment)',
    );
  }
  const kept = new StringParameter(stack, 'Settings', {
    // A name that the next deployment knows (deployed-settings.ts); a template by itself may have any stack's name.
    parameterName: settingsParameter(Aws.STACK_NAME),
    simpleName: false,
    description: 'The settings of integratord at the last deployment, as in cdk/cdk.context.json',
    // Above 4 KB, as with many Connect instances, Parameter Store charges for it.
    tier: ParameterTier.INTELLIGENT_TIERING,
    stringValue: JSON.stringify(chosenSettings(settings), undefined, 2),
  });
  output(
    'RestoreSettings',
    'Writes the settings of this deployment, for another checkout',
    `aws ssm get-parameter ${region} --name ${kept.parameterName} --query Parameter.Value --output text >cdk/cdk.context.json`,
  );
  output(
    'RollOut',
    'After a deployment by hand, or a rollback to one: replaces the instances, each after its last call',
    `aws autoscaling start-instance-refresh ${region} --auto-scaling-group-name ${group} --preferences '{"SkipMatching":true}'`,
  );
  const metricsPort = settings.daemonSettings?.['METRICS_PORT'];
  if (metricsPort !== undefined) {
    output(
      'LetPrometheusIn',
      'Opens METRICS_PORT to the security group of your Prometheus server; until then nothing reaches it',
      `aws ec2 authorize-security-group-ingress ${region} --group-id ${fleet.securityGroup.securityGroupId} --protocol tcp --port ${metricsPort} --source-group sg-…`,
    );
  }
  output(
    'Health',
    'Says of each instance whether it accepts calls, and why not',
    `aws elbv2 describe-target-health ${region} --target-group-arn ${loadBalancer.targetGroupArn}`,
  );
  output('Dashboard', 'Calls, lag, gaps, capacity, drains and alarms on one page', dashboard.url);
  output(
    'Watch',
    'Follows the log of all instances',
    Fn.join('', [`aws logs tail ${region} --follow `, logs.fleet.logGroupName]),
  );
}
