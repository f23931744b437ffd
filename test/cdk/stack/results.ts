import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { bundleInto } from '../../../cdk/lambda-bundle.ts';
import { synthesized } from '../synthesized.ts';
import { VARIANTS } from '../variants.ts';

type Statement = { Action: string | string[]; Resource: unknown; Condition?: unknown };

const byDefault = synthesized();
const received = synthesized(VARIANTS['the sample receiver']);
const existing = synthesized(VARIANTS['everything exists already']);
const closed = synthesized(VARIANTS['a closed VPC, Spot, and an alarm address']);

/** The daemons' settings in user data, with `<Name>` for what CloudFormation fills in. */
function daemonSettings(template: Template): Record<string, string> {
  const [launch] = Object.values(template.findResources('AWS::EC2::LaunchTemplate'));
  const parts: unknown[] = launch?.['Properties'].LaunchTemplateData.UserData['Fn::Base64']['Fn::Join'][1];
  const text = parts.map((part) => (typeof part === 'string' ? part : `<${nameIn(part)}>`)).join('');
  return Object.fromEntries([...text.matchAll(/^([A-Z_]+)="(.*)"$/gm)].map(([, name, value]) => [name, value]));
}

/** `ResultsStateKey` of a reference to that resource. */
function nameIn(reference: unknown): string {
  const [value] = Object.values(reference as Record<string, unknown>).flat();
  return String(value).replace(/[0-9A-F]{8}$/, '');
}

function statementsOf(template: Template, role: RegExp, policy: string): Statement[] {
  const [found] = Object.entries(template.findResources('AWS::IAM::Role')).filter(([id]) => role.test(id));
  type Policy = { PolicyName: string; PolicyDocument: { Statement: Statement[] } };
  const policies: Policy[] = found?.[1]['Properties'].Policies ?? [];
  return policies.find(({ PolicyName }) => PolicyName === policy)?.PolicyDocument.Statement ?? [];
}

const actionsOf = (statements: readonly Statement[]) => statements.flatMap(({ Action }) => Action).sort();

test('by default no results come back, and only the key of stored state is new', (t) => {
  const { STATE_KEY_SECRET_ARN, ...others } = daemonSettings(byDefault);
  t.is(STATE_KEY_SECRET_ARN, '<ResultsStateKey>');
  t.deepEqual(
    Object.keys(others).filter((name) => name.startsWith('RESULTS_')),
    [],
  );
  for (const type of ['AWS::S3::Bucket', 'AWS::Kinesis::Stream', 'AWS::Lambda::Url'])
    byDefault.resourceCountIs(type, 0);
  t.deepEqual(statementsOf(byDefault, /^InstanceRole/, 'Results'), []);
});

test('with the receiver on, daemons post to it, and keep what they cannot deliver', (t) => {
  t.like(daemonSettings(received), {
    RESULTS_WEBHOOK: '<ResultsReceiverFunctionFunctionUrl>',
    RESULTS_SECRET_ARN: '<ResultsWebhookSecret>',
    RESULTS_STREAM: '<ResultsTranscripts>',
    RESULTS_DEAD_LETTERS: 's3://<ResultsDeadLettersBucket>/dead-letters',
  });
});

test('an existing stream, webhook and secret are used as they are', (t) => {
  t.like(daemonSettings(existing), {
    RESULTS_WEBHOOK: 'https://results.example.org/',
    RESULTS_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:webhook-AbCdEf',
    RESULTS_STREAM: 'arn:aws:kinesis:us-east-1:123456789012:stream/transcripts',
  });
  existing.resourceCountIs('AWS::Kinesis::Stream', 0);
  t.is(
    daemonSettings(synthesized({ webhookSecretArn: VARIANTS['everything exists already']?.['webhookSecretArn'] }))[
      'RESULTS_WEBHOOK'
    ],
    undefined,
  );
});

test('an instance may write to the stream and keep dead letters, and nothing else with them', (t) => {
  const statements = statementsOf(received, /^InstanceRole/, 'Results');
  t.deepEqual(actionsOf(statements), [
    'kinesis:DescribeStreamSummary',
    'kinesis:PutRecords',
    's3:DeleteObject',
    's3:GetObject',
    's3:ListBucket',
    's3:PutObject',
  ]);
  for (const { Action, Resource } of statements) {
    const isStream = String(Action).includes('kinesis:PutRecords');
    t.regex(JSON.stringify(Resource), isStream ? /^\{"Fn::GetAtt":\["ResultsTranscripts/ : /"ResultsDeadLettersBucket/);
  }
});

test('an instance may use keys only through their service', (t) => {
  const keys = statementsOf(existing, /^InstanceRole/, 'Results').filter(({ Action }) =>
    String(Action).startsWith('kms:'),
  );
  t.deepEqual(
    keys.map(({ Action, Condition }) => [Action, /"(\w+)\.us-east-1\./.exec(JSON.stringify(Condition))?.[1]]),
    [
      ['kms:Decrypt', 'secretsmanager'],
      ['kms:GenerateDataKey', 'kinesis'],
    ],
  );
});

test('the stream is encrypted, and scales with the calls', (t) => {
  received.hasResourceProperties('AWS::Kinesis::Stream', {
    StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    StreamEncryption: { EncryptionType: 'KMS' },
  });
  t.pass();
});

test('buckets are private, encrypted, reached by TLS only, emptied by age, and stay unless their creation fails', (t) => {
  const buckets = Object.entries(received.findResources('AWS::S3::Bucket'));
  t.is(buckets.length, 2);
  const lifetimes = buckets.map(([id, bucket]) => {
    const { Properties, ...policies } = bucket as { Properties: Record<string, object> };
    t.like(policies, { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' }, id);
    t.true(
      Object.values(Properties['PublicAccessBlockConfiguration'] ?? {}).every((value) => value === true),
      id,
    );
    t.truthy(Properties['BucketEncryption'], id);
    received.hasResourceProperties('AWS::S3::BucketPolicy', {
      Bucket: { Ref: id },
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
    return (Properties['LifecycleConfiguration'] as { Rules: { ExpirationInDays: number }[] }).Rules[0]
      ?.ExpirationInDays;
  });
  t.deepEqual(lifetimes.sort(), [14, 30]);
});

test('secrets are generated, and the template has none', (t) => {
  received.hasResourceProperties('AWS::SecretsManager::Secret', {
    SecretString: {
      'Fn::Join': [
        '',
        [
          'whsec_{{resolve:secretsmanager:',
          { Ref: Match.stringLikeRegexp('^ResultsWebhookSecretKey') },
          ':SecretString:::}}',
        ],
      ],
    },
  });
  const generated = Object.values(
    received.findResources('AWS::SecretsManager::Secret', {
      Properties: { GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true } },
    }),
  );
  // The trigger's, STATE_KEY, the webhook's key, the readers' token.
  t.is(generated.length, 4);
});

test('anyone reaches the receiver, which authenticates each request by itself', (t) => {
  received.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' });
  received.hasResourceProperties('AWS::Lambda::Permission', {
    Action: 'lambda:InvokeFunctionUrl',
    Principal: '*',
    FunctionUrlAuthType: 'NONE',
  });
  // Both are needed since October 2025 (Lambda Developer Guide, "Control access to Lambda function URLs").
  received.hasResourceProperties('AWS::Lambda::Permission', {
    Action: 'lambda:InvokeFunction',
    Principal: '*',
    InvokedViaFunctionUrl: true,
  });
  t.is(Object.keys(received.findResources('AWS::Lambda::Url')).length, 1);
});

test('the receiver may keep and read its requests, read its secrets, and write its log', (t) => {
  const statements = statementsOf(received, /^ResultsReceiverRole/, 'Receiver');
  t.deepEqual(actionsOf(statements), [
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    's3:GetObject',
    's3:ListBucket',
    's3:PutObject',
    'secretsmanager:GetSecretValue',
  ]);
  const secrets = statements.find(({ Action }) => Action === 'secretsmanager:GetSecretValue')?.Resource as unknown[];
  t.deepEqual(secrets.map(nameIn), ['ResultsWebhookSecret', 'ResultsReceiverToken']);
  for (const { Action, Resource } of statements) {
    if ([Action].flat().some((each) => each.startsWith('s3:')))
      t.regex(JSON.stringify(Resource), /ResultsReceiverTranscripts/);
  }
});

test('the outputs lead to what a consumer needs', (t) => {
  const outputsOf = (template: Template) => Object.keys(template.toJSON()['Outputs']);
  for (const name of ['TranscriptStream', 'ReceiverUrl', 'ReceiverToken', 'ReadTranscript'])
    t.true(outputsOf(received).includes(name), name);
  t.true(outputsOf(closed).includes('WebhookSecret'), 'the secret that a consumer verifies with');
  t.false(outputsOf(existing).includes('WebhookSecret'), 'its owner has it');
  for (const name of ['TranscriptStream', 'ReceiverUrl', 'WebhookSecret'])
    t.false(outputsOf(byDefault).includes(name), name);
});

test('in a closed VPC, the stream and S3 have endpoints', (t) => {
  const services = Object.values(closed.findResources('AWS::EC2::VPCEndpoint')).map(({ Properties }) =>
    JSON.stringify(Properties.ServiceName),
  );
  t.true(services.some((name) => name.includes('.kinesis-streams')));
  closed.hasResourceProperties('AWS::EC2::VPCEndpoint', {
    VpcEndpointType: 'Gateway',
    ServiceName: { 'Fn::Join': ['', Match.arrayWith(['.s3'])] },
  });
});

test('instances reach a webhook at its own port', (t) => {
  const ports = (template: Template) =>
    Object.values(template.findResources('AWS::EC2::SecurityGroup'))
      .flatMap(({ Properties }) => Properties.SecurityGroupEgress ?? [])
      .map(({ ToPort }: { ToPort: number }) => ToPort);
  t.true(ports(closed).includes(8443));
  t.false(ports(existing).includes(8443));
});

test('the bundled receiver runs: it answers a path that it does not have', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'receiver-bundle-'));
  try {
    bundleInto(directory, 'receiver/lambda.ts');
    const event = { rawPath: '/elsewhere', headers: {}, requestContext: { http: { method: 'GET' } } };
    const script = `const { handler } = await import('./index.mjs'); process.stdout.write(JSON.stringify(await handler(${JSON.stringify(event)})));`;
    const env = {
      RESULTS_SECRET_ARN: 'a',
      READ_TOKEN_SECRET_ARN: 'b',
      TRANSCRIPTS_BUCKET: 'c',
      AWS_REGION: 'us-east-1',
    };
    const options = { cwd: directory, env, encoding: 'utf8' } as const;
    const answer = JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', script], options));
    t.is(answer.statusCode, 404);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
