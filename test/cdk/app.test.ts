import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { BARE_ENVIRONMENT } from '../support/bare-environment.ts';

const APP = join(import.meta.dirname, '../../cdk/app.ts');
const run = promisify(execFile);

/** Runs the app as the CDK command line does, without AWS credentials or a profile, in a directory of its own. */
async function synthesize(
  context: object,
  look: (directory: string) => void,
  variables: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stderr: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-app-'));
  const env = {
    ...BARE_ENVIRONMENT,
    HOME: directory,
    CDK_OUTDIR: directory,
    CDK_CONTEXT_JSON: JSON.stringify(context),
    // CDK's own validation costs most of a synthesis: stack.test.ts runs it on every variant.
    CDK_VALIDATION: 'false',
    ...variables,
  };
  try {
    const { stderr } = await run(process.execPath, [APP], { env });
    look(directory);
    return { code: 0, stderr };
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (typeof code !== 'number' || stderr === undefined) throw error;
    return { code, stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('the app synthesizes without credentials, with the trigger bundled into one file, and what is not set becomes a parameter without a default', async (t) => {
  const { code, stderr } = await synthesize({ stackName: 'calls' }, (directory) => {
    t.true(existsSync(join(directory, 'calls.template.json')));
    const { Parameters } = JSON.parse(readFileSync(join(directory, 'calls.template.json'), 'utf8'));
    for (const name of ['ConnectInstanceArn', 'DeepgramKeySecretArn']) {
      t.is(Parameters[name].Type, 'String');
      t.false('Default' in Parameters[name]);
      t.regex(Parameters[name].Description, /cdk.context.json/);
    }
    const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
    t.deepEqual(manifest.missing ?? [], [], 'nothing needed a lookup');
    t.is(manifest.artifacts.calls.environment, 'aws://unknown-account/unknown-region');
    const bundles = readdirSync(directory, { recursive: true }).filter((file) => String(file).endsWith('index.mjs'));
    t.is(bundles.length, 1);
  });
  t.is(code, 0, stderr);
});

test('an invalid setting ends the app before synthesis, with a line that names it', async (t) => {
  const context = { amiId: 'ami-of-mine', minInstances: '1', typo: 'x', connectInstanceArn: 'none' };
  const { code, stderr } = await synthesize(context, () => t.fail('it was synthesized'));
  t.is(code, 1);
  const lines = stderr.trim().split('\n');
  t.is(lines.length, 2);
  t.regex(lines[0] ?? '', /^integratord: typo is not a setting; the settings are amiId, /);
  t.regex(lines[1] ?? '', /^integratord: amiId must be the id of an image, such as ami-/);
});

test('a deployment of a new image without the other settings is refused by name, before anything is asked of AWS', async (t) => {
  const context = { amiId: 'ami-0123456789abcdef0' };
  const { code, stderr } = await synthesize(context, () => t.fail('it was synthesized'));
  t.is(code, 1);
  t.deepEqual(
    stderr
      .trim()
      .split('\n')
      .map((line) => line.split(' ').slice(0, 5).join(' ')),
    ['integratord: connectInstanceArn is not set:', 'integratord: deepgramKeySecretArn is not set:'],
  );
});

const KEPT = { connectInstanceArn: 'none', alarmEmail: 'on-call@example.org', minInstances: '3' };

test('with credentials, settings of the deployed stack that are not given are errors of the stack', async (t) => {
  const bin = mkdtempSync(join(tmpdir(), 'integratord-aws-'));
  t.teardown(() => rmSync(bin, { recursive: true }));
  const script = `#!/bin/sh\necho '${JSON.stringify(parameter(KEPT))}'\n`;
  writeFileSync(join(bin, 'aws'), script, { mode: 0o755 });
  const credentials = { CDK_DEFAULT_ACCOUNT: '1', CDK_DEFAULT_REGION: 'us-east-1', PATH: `${bin}:/usr/bin:/bin` };
  const { code, stderr } = await synthesize(
    { connectInstanceArn: 'none', 'aws:cdk:bundling-stacks': [] },
    (directory) => {
      const names = errorsIn(directory).map((message) => message.split(' ')[0]);
      t.deepEqual(names, ['minInstances', 'alarmEmail']);
    },
    credentials,
  );
  t.is(code, 0, stderr);
});

function parameter(settings: object): object {
  const ARN = 'arn:aws:ssm:us-east-1:1:parameter/integratord/settings/integratord';
  return { Parameter: { ARN, Value: JSON.stringify(settings) } };
}

/** The errors for which CDK's command line refuses to deploy. */
function errorsIn(directory: string): string[] {
  const { artifacts } = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
  const { metadata = {}, additionalMetadataFile } = artifacts.integratord;
  const more = additionalMetadataFile ? JSON.parse(readFileSync(join(directory, additionalMetadataFile), 'utf8')) : {};
  const entries: { type: string; data: string }[] = [
    ...Object.values(metadata),
    ...Object.values(more),
  ].flat() as never;
  return entries.filter(({ type }) => type === 'aws:cdk:error').map(({ data }) => data);
}
