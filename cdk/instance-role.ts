import { Arn, ArnFormat, Aws, type CfnElement, Stack } from 'aws-cdk-lib';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct, type IConstruct } from 'constructs';
import { METRICS_NAMESPACE } from '../daemon/contract/metrics-namespace.ts';
import { acknowledge } from './acknowledge.ts';
import { FLEET_TAG } from './names.ts';
import type { Results } from './results.ts';

interface InstanceRoleProps {
  readonly secretArns: readonly string[];
  /** The KMS key of a secret; undefined for the AWS managed key. */
  readonly secretsKmsKeyArn: string | undefined;
  /** Prefix of the names of Connect's streams; without it, every stream whose name follows Connect's pattern. */
  readonly streamPrefix: string | undefined;
  readonly streamsKmsKeyArn: string | undefined;
  readonly logGroup: ILogGroup;
  /** Where transcripts go. */
  readonly results: Pick<Results, 'statements' | 'acknowledgeIn'>;
}

/** An instance may read calls and its secrets, report on itself, and be accessed by operators; nothing else. */
export class InstanceRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: InstanceRoleProps) {
    super(scope, id);
    const { results } = props;
    // Inline: a separate policy might be created after the first instance.
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'Instances that run integratord',
      inlinePolicies: {
        Calls: policy(readCalls(Stack.of(this), props), ...decryptCalls(props)),
        Secrets: policy(readSecrets(props), ...decryptSecrets(props)),
        Drain: policy(describeGroup(), completeHooks(Stack.of(this))),
        Reporting: policy(sendMetrics(), writeLog(props)),
        SessionManager: policy(allowSessionManager()),
        ...(results.statements.length === 0 ? {} : { Results: policy(...results.statements) }),
      },
    });
    this.#acknowledge(props);
  }

  #acknowledge({ streamPrefix, logGroup, results }: InstanceRoleProps): void {
    acknowledge(
      this.role,
      'IAM5[Resource::*]',
      'Describe calls of Auto Scaling, CloudWatch metrics (restricted to one namespace) and Session Manager do not support resources.',
    );
    const arn = `arn:<AWS::Partition>:kinesisvideo:<AWS::Region>:<AWS::AccountId>:stream/${streamNames(streamPrefix)}/*`;
    acknowledge(
      this.role,
      `IAM5[Resource::${arn}]`,
      'Connect creates the streams: only the pattern of their names is known.',
    );
    const idOf = (construct: IConstruct) => Stack.of(this).getLogicalId(construct.node.defaultChild as CfnElement);
    results.acknowledgeIn(this.role, idOf);
    const logGroupId = idOf(logGroup);
    acknowledge(this.role, `IAM5[Resource::<${logGroupId}.Arn>]`, 'The log streams of one log group.');
    acknowledge(
      this.role,
      'IAM5[Resource::arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*]',
      'Restricted to the group of this stack by a tag: its name would make role and group depend on each other.',
    );
  }
}

function policy(...statements: PolicyStatement[]): PolicyDocument {
  return new PolicyDocument({ statements });
}

function allow(actions: string[], resources: string[], conditions = {}): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions, resources, conditions });
}

/** Connect names its streams ALIAS-contact-ID or PREFIX-connect-ALIAS-contact-ID. */
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

/** The AWS managed key for Kinesis Video needs no permission: its policy allows everyone who may read the stream. */
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
  // A key is in the region of what it encrypts, and a secret may be in another region than the stack.
  const { region = Aws.REGION } = Arn.split(keyArn, ArnFormat.SLASH_RESOURCE_NAME);
  const viaService = `${service}.${region}.${Aws.URL_SUFFIX}`;
  return allow(['kms:Decrypt'], [keyArn], { StringEquals: { 'kms:ViaService': viaService } });
}

function describeGroup(): PolicyStatement {
  const what = ['AutoScalingGroups', 'AutoScalingInstances', 'LifecycleHooks'];
  return allow(
    what.map((each) => `autoscaling:Describe${each}`),
    ['*'],
  );
}

/** SetInstanceHealth: for an instance without its daemon (systemd/integratord-absence.sh). */
function completeHooks(stack: Stack): PolicyStatement {
  const groups = `arn:${Aws.PARTITION}:autoscaling:${Aws.REGION}:${Aws.ACCOUNT_ID}:autoScalingGroup:*`;
  const actions = ['CompleteLifecycleAction', 'RecordLifecycleActionHeartbeat', 'SetInstanceHealth'];
  return allow(
    actions.map((action) => `autoscaling:${action}`),
    [groups],
    {
      StringEquals: { [`autoscaling:ResourceTag/${FLEET_TAG}`]: stack.stackId },
    },
  );
}

function sendMetrics(): PolicyStatement {
  return allow(['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': METRICS_NAMESPACE } });
}

/** For the CloudWatch agent in the image. */
function writeLog({ logGroup }: InstanceRoleProps): PolicyStatement {
  return allow(['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
}

/** Session Manager instead of ssh. AWS's managed policy for it would also allow reading every SSM parameter. */
function allowSessionManager(): PolicyStatement {
  const channels = ['CreateControlChannel', 'CreateDataChannel', 'OpenControlChannel', 'OpenDataChannel'];
  return allow(['ssm:UpdateInstanceInformation', ...channels.map((action) => `ssmmessages:${action}`)], ['*']);
}
