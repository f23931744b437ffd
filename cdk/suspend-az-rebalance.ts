import { type CfnElement, Duration, Stack } from 'aws-cdk-lib';
import type { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

interface SuspendAzRebalanceProps {
  readonly group: AutoScalingGroup;
  readonly logGroup: ILogGroup;
}

/**
 * Suspends AZRebalance, which would drain instances in the middle of calls only to balance the zones. Neither
 * CloudFormation nor CDK has a property for that, so a custom resource calls the API during the deployment.
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
      // Lambda's own SDK suffices; the latest one would have to be downloaded.
      installLatestAwsSdk: false,
    });
    const stack = Stack.of(this);
    const groupId = stack.getLogicalId(group.node.defaultChild as CfnElement);
    const anyGroup = 'arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*';
    acknowledge(
      suspension,
      `IAM5[Resource::${anyGroup}:autoScalingGroupName/<${groupId}>]`,
      'One group, by its name: the rest of its ARN is an id that CloudFormation does not expose.',
    );
    acknowledge(
      stack.node.findChild(`AWS${AwsCustomResource.PROVIDER_FUNCTION_UUID.replaceAll('-', '')}`),
      'IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      "CDK's own function for AWS API calls; it accepts no other role, and the policy lets it write its log.",
    );
  }
}
