import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { App, DefaultStackSynthesizer, type IStackSynthesizer, type Stack } from 'aws-cdk-lib';
import { inlineText } from './lambda-bundle.ts';
import { readSettings, SettingsError } from './settings.ts';
import { IntegratordStack } from './stack.ts';

/** CloudFormation's limit for a template in S3, where the console puts one that is uploaded. */
const MOST_BYTES = 1_000_000;
/** "This zip file cannot exceed 4MB" (AWS::Lambda::Function Code, ZipFile); until 2022 it was 4,096 characters. */
const MOST_CODE_BYTES = 4 * 1024 * 1024;
const DEFAULT_FILE = join(import.meta.dirname, '../cdk.out/self-contained.template.json');

/** Our functions, by the beginning of their ids; the others are CDK's own. */
const ENTRIES = { Trigger: 'handler.ts', ResultsReceiver: 'receiver/lambda.ts' };

type Resource = { Type: string; Properties?: Record<string, unknown>; Metadata?: Record<string, unknown> };
type Template = {
  Resources: Record<string, Resource>;
  Parameters?: Record<string, unknown>;
  Rules?: Record<string, unknown>;
} & Record<string, unknown>;

/** The stack as one template that needs neither CDK nor its bootstrap: the functions' code is in it. */
export function selfContained(context: Readonly<Record<string, unknown>>): Template {
  const outdir = mkdtempSync(join(tmpdir(), 'integratord-template-'));
  try {
    const app = new App({ outdir, analyticsReporting: false, context: { 'aws:cdk:bundling-stacks': [] } });
    const settings = readSettings(context);
    const stack = new IntegratordStack(app, settings.stackName, settings, {
      // CDK's class and interface differ only under exactOptionalPropertyTypes.
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) as IStackSynthesizer,
    });
    const template = app.synth().getStackByName(stack.stackName).template as Template;
    for (const [id, resource] of Object.entries(template.Resources)) {
      if (resource.Type === 'AWS::Lambda::Function') inline(resource, id, stack, outdir);
      for (const name of Object.keys(resource.Metadata ?? {}))
        if (name.startsWith('aws:')) delete resource.Metadata?.[name];
      if (Object.keys(resource.Metadata ?? {}).length === 0) delete resource.Metadata;
    }
    return template;
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** Replaces a function's asset by the code itself. Throws if it is too much. */
function inline(resource: Resource, id: string, stack: Stack, outdir: string): void {
  const { Code: code } = resource.Properties as { Code: { S3Key: string } };
  const asset = `asset.${code.S3Key.replace(/\.zip$/, '')}`;
  const [, entry] = Object.entries(ENTRIES).find(([prefix]) => id.startsWith(prefix)) ?? [];
  const text = entry ? inlineText(entry) : readFileSync(join(outdir, asset, 'index.js'), 'utf8');
  if (text.length > MOST_CODE_BYTES)
    throw new Error(`the code of ${id} in ${stack.stackName} is too long for a template`);
  resource.Properties = { ...resource.Properties, Code: { ZipFile: text } };
}

// `npm run template -- [NAME=VALUE…] [--out FILE]`: README.md, "Without CDK".
if (import.meta.main) {
  try {
    const { file, context } = argumentsIn(process.argv.slice(2));
    const text = JSON.stringify(selfContained(context));
    const bytes = Buffer.byteLength(text);
    if (bytes > MOST_BYTES) throw new Error(`the template has ${bytes} bytes, more than CloudFormation accepts`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    process.stdout.write(`${file}: ${bytes} bytes\n`);
  } catch (error) {
    const lines =
      error instanceof SettingsError ? error.lines : [error instanceof Error ? error.message : String(error)];
    process.stderr.write(lines.map((line) => `template: ${line}\n`).join(''));
    process.exit(1);
  }
}

/** Throws an Error for an option that does not exist, and for anything but a setting with its value. */
export function argumentsIn(args: string[]): { file: string; context: Record<string, string> } {
  const { out = DEFAULT_FILE, pairs } = parsed(args);
  const context = pairs.map((pair): [name: string, value: string] => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (name === undefined || value === undefined) throw new Error(`${pair} has no value: write NAME=VALUE`);
    return [name, value];
  });
  return { file: out, context: Object.fromEntries(context) };
}

function parsed(args: string[]): { out?: string | undefined; pairs: string[] } {
  try {
    const { values, positionals } = parseArgs({ args, options: { out: { type: 'string' } }, allowPositionals: true });
    return { ...values, pairs: positionals };
  } catch (error) {
    // Without Node's advice on arguments that begin with a dash: no setting does.
    const [fault = ''] = (error as Error).message.split('. ');
    throw new Error(`${fault}; usage: npm run template -- [NAME=VALUE…] [--out FILE]`);
  }
}
