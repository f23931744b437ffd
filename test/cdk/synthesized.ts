import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { readSettings } from '../../cdk/settings.ts';
import { IntegratordStack } from '../../cdk/stack.ts';

export const CONNECT_ARN = 'arn:aws:connect:us-east-1:123456789012:instance/12345678-1234-1234-1234-123456789012';
export const AMI_ID = 'ami-0123456789abcdef0';

/** All that a user may set, with the sources of the trigger in place of its bundle, which takes a second to make. */
export function stackOf(context: Record<string, unknown> = {}): IntegratordStack {
  const settings = readSettings({ amiId: AMI_ID, connectInstanceArn: CONNECT_ARN, ...context });
  const app = new App({ analyticsReporting: false, context: { 'aws:cdk:bundling-stacks': [] } });
  return new IntegratordStack(app, settings.stackName, settings);
}

/** The template that a user with these settings deploys. */
export function synthesized(context: Record<string, unknown> = {}): Template {
  return Template.fromStack(stackOf(context));
}
