import { type CfnElement, Stack } from 'aws-cdk-lib';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** What Lambda needs to attach a function to a VPC. */
const NETWORK_ACTIONS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

interface TriggerRoleProps {
  readonly secretArn: string;
  readonly logGroup: ILogGroup;
}

/** The trigger may read its secret and write its log. Lambda may manage network interfaces; the code may not. */
export class TriggerRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, { secretArn, logGroup }: TriggerRoleProps) {
    super(scope, id);
    const statements = [
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [secretArn] }),
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
      new PolicyStatement({ actions: NETWORK_ACTIONS, resources: ['*'] }),
      new PolicyStatement({
        effect: Effect.DENY,
        actions: NETWORK_ACTIONS,
        resources: ['*'],
        // Set on calls by the function's code, not on calls by Lambda itself.
        conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      }),
    ];
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'The trigger of integratord',
      inlinePolicies: { Trigger: new PolicyDocument({ statements }) },
    });
    const logGroupId = Stack.of(this).getLogicalId(logGroup.node.defaultChild as CfnElement);
    acknowledge(this.role, `IAM5[Resource::<${logGroupId}.Arn>]`, 'The log streams of one log group.');
    acknowledge(
      this.role,
      'IAM5[Resource::*]',
      "Network interfaces that do not exist yet have no names; the function's own code is denied these actions.",
    );
  }
}
