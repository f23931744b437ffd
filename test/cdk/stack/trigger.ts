import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Match } from 'aws-cdk-lib/assertions';
import { bundleInto } from '../../../cdk/lambda-bundle.ts';
import { CONNECT_ARN, propertiesOf, synthesized } from '../synthesized.ts';

const template = synthesized();
const unconnected = synthesized({ connectInstanceArn: 'none' });

/** The trigger, not CDK's own function. */
function functionOf(from = template): Record<string, unknown> {
  const found = Object.entries(from.findResources('AWS::Lambda::Function')).filter(([id]) => id.startsWith('Trigger'));
  if (found.length !== 1) throw new Error('not one trigger');
  return found[0]?.[1]['Properties'];
}

test('the trigger is a function in the VPC, for Node 24 on arm64, with a timeout of the 8 s that a flow waits', (t) => {
  t.like(functionOf(), { Runtime: 'nodejs24.x', Architectures: ['arm64'], Timeout: 8, Handler: 'index.handler' });
  t.truthy(functionOf()['VpcConfig']);
});

test("the trigger gets the load balancer's name, and only the ARN of its secret", (t) => {
  const { Variables } = functionOf()['Environment'] as { Variables: Record<string, unknown> };
  t.deepEqual(Object.keys(Variables).sort(), ['KVS_DG_INTEGRATOR_DOMAIN', 'LOG_LEVEL', 'TRIGGER_SECRET_ARN']);
  const balancers = Object.keys(template.findResources('AWS::ElasticLoadBalancingV2::LoadBalancer'));
  t.deepEqual(Variables['KVS_DG_INTEGRATOR_DOMAIN'], { 'Fn::GetAtt': [balancers[0], 'DNSName'] });
  t.regex((Variables['TRIGGER_SECRET_ARN'] as { Ref: string }).Ref, /TriggerSecret/);
});

for (const [given, expected] of [
  ['trace', 'debug'],
  ['fatal', 'error'],
  // Or the alarm TriggerFailing, which counts them in the log, could never fire.
  ['silent', 'error'],
  ['warn', 'warn'],
]) {
  test(`the log level ${given} becomes ${expected} for the trigger`, (t) => {
    const { Variables } = functionOf(synthesized({ logLevel: given }))['Environment'] as {
      Variables: Record<string, unknown>;
    };
    t.is(Variables['LOG_LEVEL'], expected);
  });
}

test('only the Connect instance of this account may invoke the trigger', (t) => {
  t.like(propertiesOf(template, 'AWS::Lambda::Permission'), {
    Action: 'lambda:InvokeFunction',
    Principal: 'connect.amazonaws.com',
    SourceArn: CONNECT_ARN,
    SourceAccount: '123456789012',
  });
  template.resourceCountIs('AWS::Lambda::Url', 0);
});

test("the trigger is on the Connect instance's list of functions", (t) => {
  template.hasResource('AWS::Connect::IntegrationAssociation', {
    Properties: {
      InstanceId: CONNECT_ARN,
      IntegrationType: 'LAMBDA_FUNCTION',
      IntegrationArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^TriggerFunction'), 'Arn'] },
    },
    DependsOn: Match.arrayWith([Match.stringLikeRegexp('Connect')]),
  });
  t.pass();
});

test('each Connect instance of a list may invoke the trigger and has it on its list', (t) => {
  const other = CONNECT_ARN.replace('/12345678', '/87654321');
  const arns = (from: typeof template, type: string, property: string) =>
    Object.entries(from.findResources(type))
      .map(([id, { Properties }]) => `${id} ${Properties[property]}`)
      .sort();
  const both = synthesized({ connectInstanceArn: [CONNECT_ARN, other] });
  const reversed = synthesized({ connectInstanceArn: [other, CONNECT_ARN] });
  for (const [type, property] of [
    ['AWS::Lambda::Permission', 'SourceArn'],
    ['AWS::Connect::IntegrationAssociation', 'InstanceId'],
  ] as const) {
    const found = arns(both, type, property);
    t.is(found.length, 2);
    t.true(found.some((each) => each.endsWith(CONNECT_ARN)) && found.some((each) => each.endsWith(other)));
    t.deepEqual(arns(reversed, type, property), found, 'whatever their order');
  }
});

test('a Connect instance keeps its association when others join or leave the list', (t) => {
  const other = CONNECT_ARN.replace('/12345678', '/87654321');
  const associationOf = (arn: string, connectInstanceArn: string[]) => {
    const found = synthesized({ connectInstanceArn }).findResources('AWS::Connect::IntegrationAssociation');
    return Object.entries(found).find(([, { Properties }]) => Properties['InstanceId'] === arn)?.[0];
  };
  t.truthy(associationOf(other, [other]));
  for (const list of [
    [CONNECT_ARN, other],
    [other, CONNECT_ARN],
  ])
    t.is(associationOf(other, list), associationOf(other, [other]));
});

test('calls of any of several instances make NoStarts expect starts', (t) => {
  const others = [2, 3].map((digit) => CONNECT_ARN.replace('instance/1', `instance/${digit}`));
  const three = synthesized({ connectInstanceArn: [CONNECT_ARN, ...others], noStartsCalls: 30 });
  const busy = Object.entries(three.findResources('AWS::CloudWatch::Alarm')).filter(([id]) => /AlarmsBusy/.test(id));
  t.deepEqual(
    busy.map(([, { Properties }]) => [Properties.MetricName, Properties.Threshold]),
    Array.from({ length: 3 }, () => ['ConcurrentCalls', 30]),
  );
  const [noStarts] = Object.entries(three.findResources('AWS::CloudWatch::CompositeAlarm')).filter(([id]) =>
    id.startsWith('AlarmsNoStarts'),
  );
  const parts: (string | { 'Fn::GetAtt': string[] })[] = noStarts?.[1]['Properties'].AlarmRule['Fn::Join'][1];
  const rule = parts.map((part) => (typeof part === 'string' ? part : part['Fn::GetAtt'][0])).join('');
  const names = rule.replace(/AlarmsTriggerAlarms(\w+?)[0-9A-F]{8}\b/g, '$1').replaceAll('"', '');
  t.is(names, '((ALARM(Busy) OR ALARM(Busy2) OR ALARM(Busy3)) AND ALARM(NotInvoked) AND ALARM(InUse))');
});

for (const [why, context] of [
  ['of any number', { noStartsCalls: 0 }],
  ['of no instance', { connectInstanceArn: 'none' }],
] as const) {
  test(`calls ${why} make no alarm NoStarts`, (t) => {
    const ids = Object.keys(synthesized(context).toJSON()['Resources']);
    t.deepEqual(
      ids.filter((id) => /NoStarts|AlarmsBusy|NotInvoked|InUse/.test(id)),
      [],
    );
    t.true(ids.some((id) => id.includes('TriggerFailing')));
  });
}

test('an instance that only a parameter names may invoke the trigger from this account', (t) => {
  const asked = synthesized({ amiId: undefined, connectInstanceArn: undefined });
  asked.hasResourceProperties('AWS::Lambda::Permission', {
    SourceArn: { Ref: 'ConnectInstanceArn' },
    SourceAccount: { Ref: 'AWS::AccountId' },
  });
  asked.hasResourceProperties('AWS::Connect::IntegrationAssociation', { InstanceId: { Ref: 'ConnectInstanceArn' } });
  t.pass();
});

test('without a Connect instance the trigger cannot be invoked, and an output has the remedy', (t) => {
  unconnected.resourceCountIs('AWS::Lambda::Permission', 0);
  unconnected.resourceCountIs('AWS::Connect::IntegrationAssociation', 0);
  unconnected.hasOutput('LetConnectInvokeIt', { Value: Match.stringLikeRegexp('connectInstanceArn=') });
  t.is(Object.keys(template.findOutputs('LetConnectInvokeIt')).length, 0);
});

test("the trigger's log has a group of its own, with a retention", (t) => {
  const { LogGroup } = functionOf()['LoggingConfig'] as { LogGroup: { Ref: string } };
  const group = template.findResources('AWS::Logs::LogGroup')[LogGroup.Ref];
  t.is(group?.['Properties'].RetentionInDays, 30);
});

test('the bundled trigger runs: it rejects a foreign event as the sources do', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'trigger-bundle-'));
  try {
    bundleInto(directory, 'handler.ts');
    const script = `const { handler } = await import('./index.mjs'); process.stdout.write('\\n' + JSON.stringify(await handler({})));`;
    const options = { cwd: directory, env: { LOG_LEVEL: 'silent' }, encoding: 'utf8' } as const;
    const answer = execFileSync(process.execPath, ['--input-type=module', '--eval', script], options);
    t.like(JSON.parse(answer), { lambdaResult: 'fail', retryable: 'false', sessionId: '' });
    t.true(answer.includes('unexpected-event'), answer);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
