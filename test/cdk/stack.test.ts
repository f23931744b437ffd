import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { App, CloudFormationValidatePlugin } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readSettings } from '../../cdk/settings.ts';
import { SNAPSHOT_FILE, snapshotOf } from './snapshot.ts';
import { CONNECT_ARN, propertiesOf, SECRET_ARN, stackOf, synthesized, twoStacks } from './synthesized.ts';
import { VARIANTS } from './variants.ts';
// One process for all tests of a template: loading aws-cdk-lib and the first synthesis take a second of CPU.
import './stack/alarms.ts';
import './stack/cfn-lint.ts';
import './stack/fleet.ts';
import './stack/guide.ts';
import './stack/network.ts';
import './stack/results.ts';
import './stack/roles.ts';
import './stack/template.ts';
import './stack/trigger.ts';
import './stack/user-data.ts';

for (const [name, context] of Object.entries(VARIANTS)) {
  const stack = stackOf(context);

  test(`cdk-nag has no finding in ${name} that is not acknowledged`, (t) => {
    const { violations } = new AwsSolutionsChecks(stack).validateScope(stack);
    t.deepEqual(
      violations.map(({ ruleName, description, violatingResources }) => ({
        ruleName,
        description,
        violatingResources,
      })),
      [],
    );
  });

  test(`${name} conforms to CloudFormation's schemas and rules`, (t) => {
    t.deepEqual(findingsIn(Template.fromStack(stack).toJSON()), []);
  });
}

test('the schemas find a deliberate error', (t) => {
  const template = synthesized().toJSON();
  const isGroup = ({ Type }: { Type: string }) => Type === 'AWS::AutoScaling::AutoScalingGroup';
  const group = Object.values<{ Type: string; Properties: object }>(template['Resources']).find(isGroup);
  Object.assign(group?.Properties ?? {}, { NoSuchProperty: 'x' });
  t.true(findingsIn(template).some((finding) => finding.includes('NoSuchProperty')));
});

/** CDK's own engine, which has CloudFormation's resource schemas and reads them once. */
const ENGINE = new CloudFormationValidatePlugin();

/** Zones by name, which CDK's Vpc acknowledges in the app; the engine alone does not know of that. */
const NAMED_ZONES = 'W3010';

/** The engine's findings. */
function findingsIn(template: object): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-template-'));
  try {
    const file = join(directory, 'template.json');
    writeFileSync(file, JSON.stringify(template));
    const stack = { stackConstructPath: 'stack', templatePath: file, accountId: undefined, region: undefined };
    const context = { templatePaths: [file], stackTemplates: [stack], appConstruct: new App({ outdir: directory }) };
    const { violations } = ENGINE.validate(context);
    return violations.flatMap(({ ruleName, description }) =>
      ruleName === NAMED_ZONES ? [] : [`${ruleName}: ${description}`],
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('the stack can be deployed twice in an account and region: nothing has a fixed name', (t) => {
  const context = { alarmEmail: 'on-call@example.org' };
  const [first, second] = twoStacks(context).map((stack) => Template.fromStack(stack));
  t.deepEqual(physicalNamesIn(first as Template), []);
  t.deepEqual(physicalNamesIn(second as Template), []);
});

/** Properties that name a resource in the account, unless after its stack; a policy's name is local to its role. */
function physicalNamesIn(template: Template): string[] {
  type Resources = Record<string, { Type: string; Properties?: Record<string, unknown> }>;
  return Object.entries(template.toJSON()['Resources'] as Resources)
    .filter(([, { Type }]) => Type !== 'AWS::IAM::Policy')
    .flatMap(([id, { Type, Properties = {} }]) => {
      const own = ['Name', 'GroupName', 'AlarmName', `${Type.split('::').at(-1)}Name`];
      const isFixed = (value: unknown) => value !== undefined && !JSON.stringify(value).includes('"AWS::StackName"');
      return own.filter((property) => isFixed(Properties[property])).map((property) => `${id}.${property}`);
    });
}

test('no output is exported, so none conflicts with another stack', (t) => {
  t.deepEqual(
    Object.entries(synthesized().toJSON()['Outputs']).filter(([, output]) => 'Export' in (output as object)),
    [],
  );
});

test('deepgramKeySecretArn=new creates an empty secret, with the command to fill it', (t) => {
  const template = synthesized({ deepgramKeySecretArn: 'new', minInstances: 0 });
  template.hasResourceProperties('AWS::SecretsManager::Secret', {
    SecretString: Match.absent(),
    GenerateSecretString: Match.absent(),
  });
  template.hasOutput('FillDeepgramKey', {
    Value: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('put-secret-value')])] },
  });
  const existing = synthesized(VARIANTS['everything exists already']);
  existing.resourceCountIs('AWS::SecretsManager::Secret', 2);
  t.deepEqual(existing.findOutputs('FillDeepgramKey'), {});
});

test('the settings are kept in the stack, and an output writes them into a checkout', (t) => {
  const template = synthesized({ minInstances: 3 });
  const { Value } = propertiesOf(template, 'AWS::SSM::Parameter');
  t.deepEqual(JSON.parse(String(Value)), {
    connectInstanceArn: CONNECT_ARN,
    deepgramKeySecretArn: SECRET_ARN,
    minInstances: '3',
  });
  template.hasOutput('RestoreSettings', {
    Value: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('>cdk/cdk.context.json$')])] },
  });
});

test('git ignores cdk.context.json, and its example is complete', (t) => {
  const ignored = readFileSync(join(import.meta.dirname, '../../.gitignore'), 'utf8').split('\n');
  t.true(ignored.includes('cdk/cdk.context.json'));
  const example = JSON.parse(readFileSync(join(import.meta.dirname, '../../cdk/cdk.context.example.json'), 'utf8'));
  const filled = JSON.stringify(example)
    .replaceAll('REGION', 'us-east-1')
    .replaceAll('ACCOUNT', '123456789012')
    .replace('/ID"', '/12345678"')
    .replace('SUFFIX', 'AbCdEf');
  t.notThrows(() => readSettings({ ...JSON.parse(filled), amiId: 'ami-0123456789abcdef0' }));
});

test("Secrets Manager generates the trigger's secret, long enough for the daemon", (t) => {
  synthesized().hasResourceProperties('AWS::SecretsManager::Secret', {
    GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true },
  });
  t.pass();
});

test('every log group has the retention from the settings', (t) => {
  const groups = Object.values(synthesized({ logRetentionDays: 90 }).findResources('AWS::Logs::LogGroup'));
  t.true(groups.length >= 3);
  for (const { Properties } of groups) t.is(Properties.RetentionInDays, 90);
});

test('every Lambda function writes to a log group of the stack', (t) => {
  const template = synthesized();
  const groups = Object.keys(template.findResources('AWS::Logs::LogGroup'));
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  t.is(functions.length, 2);
  for (const { Properties } of functions) t.true(groups.includes(Properties.LoggingConfig.LogGroup.Ref));
});

test('alarms have a topic with the e-mail address, if one is set', (t) => {
  synthesized().resourceCountIs('AWS::SNS::Topic', 0);
  const template = synthesized({ alarmEmail: 'on-call@example.org' });
  template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'on-call@example.org' });
  template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        }),
      ]),
    },
  });
  t.pass();
});

test('the outputs have the next steps', (t) => {
  const outputs = Object.keys(synthesized().toJSON()['Outputs']).sort();
  t.deepEqual(outputs, [
    'Dashboard',
    'FleetLogGroup',
    'FleetName',
    'Health',
    'RestoreSettings',
    'RollOut',
    'TriggerFunctionArn',
    'TriggerLogGroup',
    'Watch',
  ]);
});

test('the template equals the reviewed snapshot (node test/cdk/snapshot.ts writes it)', (t) => {
  t.deepEqual(JSON.parse(snapshotOf(synthesized())), JSON.parse(readFileSync(SNAPSHOT_FILE, 'utf8')));
});
