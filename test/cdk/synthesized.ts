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

// CDK's own validation of a template costs most of a synthesis: stack.test.ts runs it on every variant.
process.env['CDK_VALIDATION'] = 'false';

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
  return new App({
    outdir: mkdtempSync(join(OUTPUT, 'app-')),
    analyticsReporting: false,
    // stack.test.ts runs it on every variant; in each synthesis it costs more than all the rest.
    builtinCloudFormationValidation: false,
    context,
  });
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

/** The templates so far, as text: many tests look at the same one. */
const templates = new Map<string, string>();

/** The template with these settings: a copy of the caller's own. */
export function synthesized(context: Record<string, unknown> = {}): Template {
  // In JSON, a setting that is taken away looks like one that is not mentioned.
  const key = JSON.stringify(context, (_, value) => (value === undefined ? '(none)' : value));
  const text = templates.get(key) ?? JSON.stringify(Template.fromStack(stackOf(context)).toJSON());
  templates.set(key, text);
  return Template.fromJSON(JSON.parse(text));
}

/** The properties of the only resource of that type. */
export function propertiesOf(template: Template, type: string): Record<string, unknown> {
  const [resource, ...others] = Object.values(template.findResources(type));
  if (resource === undefined || others.length > 0) throw new Error(`not one ${type}`);
  return resource['Properties'];
}
