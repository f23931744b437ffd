import { Arn, ArnFormat, Aws, type CfnElement, Stack } from 'aws-cdk-lib';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '../daemon/contract/metrics-namespace.ts';
import { acknowledge } from './acknowledge.ts';
import { FLEET_TAG } from './names.ts';

export interface InstanceRoleProps {
  readonly secretArns: readonly string[];
  /** Of a key that encrypts one of the secrets; none for the account's own. */
  readonly secretsKmsKeyArn: string | undefined;
  /** Connect's streams begin with it; without it, all that have a name as Connect gives it. */
  readonly streamPrefix: string | undefined;
  readonly streamsKmsKeyArn: string | undefined;
  readonly logGroup: ILogGroup;
}

/** What an instance may do: read calls and its secrets, tell of itself, be looked at by an operator. No more. */
export class InstanceRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: InstanceRoleProps) {
    super(scope, id);
    // In the role itself and not beside it: a policy of its own might come after the first instance.
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'Instances that run integratord',
      inlinePolicies: {
        Calls: policy(readCalls(Stack.of(this), props), ...decryptCalls(props)),
        Secrets: policy(readSecrets(props), ...decryptSecrets(props)),
        Drain: policy(seeGroup(), sayDrained(Stack.of(this))),
        Telling: policy(sendMetrics(), writeLog(props)),
        SessionManager: policy(beOperated()),
      },
    });
    this.#acknowledge(props);
  }

  #acknowledge({ streamPrefix, logGroup }: InstanceRoleProps): void {
    acknowledge(
      this.role,
      'IAM5[Resource::*]',
      'Auto Scaling describes, CloudWatch metrics (held to one namespace) and Session Manager know no resources.',
    );
    const arn = `arn:<AWS::Partition>:kinesisvideo:<AWS::Region>:<AWS::AccountId>:stream/${streamNames(streamPrefix)}/*`;
    acknowledge(
      this.role,
      `IAM5[Resource::${arn}]`,
      'Connect makes a stream for each call: only their names are known.',
    );
    const logGroupId = Stack.of(this).getLogicalId(logGroup.node.defaultChild as CfnElement);
    acknowledge(this.role, `IAM5[Resource::<${logGroupId}.Arn>]`, 'The log streams of one log group.');
    acknowledge(
      this.role,
      'IAM5[Resource::arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*]',
      'Held to the group of this stack by its tag: its name would make the role wait for the group, and that for it.',
    );
  }
}

function policy(...statements: PolicyStatement[]): PolicyDocument {
  return new PolicyDocument({ statements });
}

function allow(actions: string[], resources: string[], conditions = {}): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions, resources, conditions });
}

/** Connect calls its streams ALIAS-contact-ID, or PREFIX-connect-ALIAS-contact-ID. */
function streamNames(prefix: string | undefined): string {
  return prefix === undefined ? '*-contact-*' : `${prefix}*`;
}

function readCalls(stack: Stack, { streamPrefix }: InstanceRoleProps): PolicyStatement {
  const streams = stack.formatArn({
    service: 'kinesisvideo',
    resource: 'stream',
    resourceName: `${streamNames(streamPrefix)}/*`,
  });
  return allow(['kinesisvideo:GetDataEndpoint', 'kinesisvideo:GetMedia'], [streams]);
}

/** The account's own key for Kinesis Video needs no leave: its policy gives it to who may read the stream. */
function decryptCalls({ streamsKmsKeyArn }: InstanceRoleProps): PolicyStatement[] {
  return streamsKmsKeyArn === undefined ? [] : [decrypt(streamsKmsKeyArn, 'kinesisvideo')];
}

function readSecrets({ secretArns }: InstanceRoleProps): PolicyStatement {
  return allow(['secretsmanager:GetSecretValue'], [...secretArns]);
}

function decryptSecrets({ secretsKmsKeyArn }: InstanceRoleProps): PolicyStatement[] {
  return secretsKmsKeyArn === undefined ? [] : [decrypt(secretsKmsKeyArn, 'secretsmanager')];
}

function decrypt(keyArn: string, service: string): PolicyStatement {
  // The key's region, which is that of what it encrypts: a secret may be elsewhere than the stack.
  const { region = Aws.REGION } = Arn.split(keyArn, ArnFormat.SLASH_RESOURCE_NAME);
  const viaService = `${service}.${region}.${Aws.URL_SUFFIX}`;
  return allow(['kms:Decrypt'], [keyArn], { StringEquals: { 'kms:ViaService': viaService } });
}

function seeGroup(): PolicyStatement {
  return allow(['autoscaling:DescribeAutoScalingInstances', 'autoscaling:DescribeLifecycleHooks'], ['*']);
}

function sayDrained(stack: Stack): PolicyStatement {
  const groups = `arn:${Aws.PARTITION}:autoscaling:${Aws.REGION}:${Aws.ACCOUNT_ID}:autoScalingGroup:*`;
  return allow(['autoscaling:CompleteLifecycleAction', 'autoscaling:RecordLifecycleActionHeartbeat'], [groups], {
    StringEquals: { [`autoscaling:ResourceTag/${FLEET_TAG}`]: stack.stackId },
  });
}

function sendMetrics(): PolicyStatement {
  return allow(['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': METRICS_NAMESPACE } });
}

/** As the CloudWatch agent of the image does it. */
function writeLog({ logGroup }: InstanceRoleProps): PolicyStatement {
  return allow(['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
}

/** Session Manager in place of ssh. AWS' own policy for it would also let an instance read every parameter. */
function beOperated(): PolicyStatement {
  const channels = ['CreateControlChannel', 'CreateDataChannel', 'OpenControlChannel', 'OpenDataChannel'];
  return allow(['ssm:UpdateInstanceInformation', ...channels.map((action) => `ssmmessages:${action}`)], ['*']);
}
