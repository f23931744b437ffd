import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { readSettings } from '../../cdk/settings.ts';
import { IntegratordStack } from '../../cdk/stack.ts';

export const CONNECT_ARN = 'arn:aws:connect:us-east-1:123456789012:instance/12345678-1234-1234-1234-123456789012';
export const SECRET_ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:deepgram-AbCdEf';
export const AMI_ID = 'ami-0123456789abcdef0';

/** Output directory of the apps of this process, removed at its end. */
const OUTPUT = mkdtempSync(join(tmpdir(), 'integratord-cdk-'));
process.on('exit', () => rmSync(OUTPUT, { recursive: true }));

/** The stack with these settings, with the trigger's sources instead of the bundle. */
export function stackOf(context: Record<string, unknown> = {}): IntegratordStack {
  return stackIn(newApp(), context);
}

/** Two stacks for one account and region that differ only in their name. */
export function twoStacks(context: Record<string, unknown>): IntegratordStack[] {
  const app = newApp();
  return ['integratord', 'integratord-2'].map((stackName) => stackIn(app, { ...context, stackName }));
}

function newApp(): App {
  const context = { 'aws:cdk:bundling-stacks': [] };
  return new App({ outdir: mkdtempSync(join(OUTPUT, 'app-')), analyticsReporting: false, context });
}

function stackIn(app: App, context: Record<string, unknown>): IntegratordStack {
  const settings = readSettings({
    amiId: AMI_ID,
    connectInstanceArn: CONNECT_ARN,
    deepgramKeySecretArn: SECRET_ARN,
    ...context,
  });
  return new IntegratordStack(app, settings.stackName, settings);
}

/** The template with these settings. */
export function synthesized(context: Record<string, unknown> = {}): Template {
  return Template.fromStack(stackOf(context));
}

/** The properties of the only resource of that type. */
export function propertiesOf(template: Template, type: string): Record<string, unknown> {
  const [resource, ...others] = Object.values(template.findResources(type));
  if (resource === undefined || others.length > 0) throw new Error(`not one ${type}`);
  return resource['Properties'];
}
