import { type CfnElement, Duration, Stack } from 'aws-cdk-lib';
import type { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

export interface SuspendAzRebalanceProps {
  readonly group: AutoScalingGroup;
  readonly logGroup: ILogGroup;
}

/**
 * Suspends AZRebalance: it would drain instances that serve calls, only for as many to be in each zone. No property
 * of the group does that, in CloudFormation as in CDK, so the API is called once, while the stack is deployed.
 */
export class SuspendAzRebalance extends Construct {
  constructor(scope: Construct, id: string, { group, logGroup }: SuspendAzRebalanceProps) {
    super(scope, id);
    const suspension = new AwsCustomResource(this, 'Suspension', {
      resourceType: 'Custom::SuspendedAZRebalance',
      onUpdate: {
        service: 'AutoScaling',
        action: 'suspendProcesses',
        parameters: { AutoScalingGroupName: group.autoScalingGroupName, ScalingProcesses: ['AZRebalance'] },
        physicalResourceId: PhysicalResourceId.of(group.autoScalingGroupName),
      },
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['autoscaling:SuspendProcesses'], resources: [group.autoScalingGroupArn] }),
      ]),
      logGroup,
      timeout: Duration.minutes(2),
      // What Lambda has does: the newest one would have to be fetched.
      installLatestAwsSdk: false,
    });
    const stack = Stack.of(this);
    const groupId = stack.getLogicalId(group.node.defaultChild as CfnElement);
    const anyGroup = 'arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*';
    acknowledge(
      suspension,
      `IAM5[Resource::${anyGroup}:autoScalingGroupName/<${groupId}>]`,
      'One group, by its name: the rest of its ARN is an id that CloudFormation does not tell.',
    );
    acknowledge(
      stack.node.findChild(`AWS${AwsCustomResource.PROVIDER_FUNCTION_UUID.replaceAll('-', '')}`),
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      "CDK's own function for calls of the AWS API, which takes no role of ours; the policy lets it write its log.",
    );
  }
}
