import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Match } from 'aws-cdk-lib/assertions';
import { bundleInto } from '../../cdk/trigger-bundle.ts';
import { CONNECT_ARN, propertiesOf, synthesized } from './synthesized.ts';

const template = synthesized();
const unconnected = synthesized({ connectInstanceArn: '' });

/** Of the trigger, and not of CDK's own function. */
function functionOf(from = template): Record<string, unknown> {
  const found = Object.entries(from.findResources('AWS::Lambda::Function')).filter(([id]) => id.startsWith('Trigger'));
  if (found.length !== 1) throw new Error('not one trigger');
  return found[0]?.[1]['Properties'];
}

test('the trigger is a function for Node 24 on arm64, with the 8 s that a flow waits, in the VPC', (t) => {
  t.like(functionOf(), { Runtime: 'nodejs24.x', Architectures: ['arm64'], Timeout: 8, Handler: 'index.handler' });
  t.truthy(functionOf()['VpcConfig']);
});

test('the trigger knows the load balancer’s name, and its secret by ARN only', (t) => {
  const { Variables } = functionOf()['Environment'] as { Variables: Record<string, unknown> };
  t.deepEqual(Object.keys(Variables).sort(), ['KVS_DG_INTEGRATOR_DOMAIN', 'LOG_LEVEL', 'TRIGGER_SECRET_ARN']);
  const balancers = Object.keys(template.findResources('AWS::ElasticLoadBalancingV2::LoadBalancer'));
  t.deepEqual(Variables['KVS_DG_INTEGRATOR_DOMAIN'], { 'Fn::GetAtt': [balancers[0], 'DNSName'] });
  t.regex((Variables['TRIGGER_SECRET_ARN'] as { Ref: string }).Ref, /TriggerSecret/);
});

for (const [given, expected] of [
  ['trace', 'debug'],
  ['fatal', 'error'],
  ['warn', 'warn'],
]) {
  test(`the log level ${given} is ${expected} for the trigger`, (t) => {
    const { Variables } = functionOf(synthesized({ logLevel: given }))['Environment'] as {
      Variables: Record<string, unknown>;
    };
    t.is(Variables['LOG_LEVEL'], expected);
  });
}

test('Connect may invoke the trigger from this instance of this account, and nobody else may', (t) => {
  t.like(propertiesOf(template, 'AWS::Lambda::Permission'), {
    Action: 'lambda:InvokeFunction',
    Principal: 'connect.amazonaws.com',
    SourceArn: CONNECT_ARN,
    SourceAccount: '123456789012',
  });
  template.resourceCountIs('AWS::Lambda::Url', 0);
});

test('the trigger is on the list of functions of the Connect instance, once it may be invoked', (t) => {
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

test('without a Connect instance nobody may invoke the trigger, and an output says what to do', (t) => {
  unconnected.resourceCountIs('AWS::Lambda::Permission', 0);
  unconnected.resourceCountIs('AWS::Connect::IntegrationAssociation', 0);
  unconnected.hasOutput('LetConnectInvokeIt', { Value: Match.stringLikeRegexp('connectInstanceArn=') });
  t.is(Object.keys(template.findOutputs('LetConnectInvokeIt')).length, 0);
});

test('the trigger’s log has a group of its own, and is not kept for ever', (t) => {
  const { LogGroup } = functionOf()['LoggingConfig'] as { LogGroup: { Ref: string } };
  const group = template.findResources('AWS::Logs::LogGroup')[LogGroup.Ref];
  t.is(group?.['Properties'].RetentionInDays, 30);
});

test('the bundle is the trigger: it answers an event that is none of Connect’s as the sources do', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'trigger-bundle-'));
  try {
    bundleInto(directory);
    const script = `const { handler } = await import('./index.mjs'); process.stdout.write('\\n' + JSON.stringify(await handler({})));`;
    const options = { cwd: directory, env: { LOG_LEVEL: 'silent' }, encoding: 'utf8' } as const;
    const answer = execFileSync(process.execPath, ['--input-type=module', '--eval', script], options);
    t.like(JSON.parse(answer), { lambdaResult: 'fail', retryable: 'false', sessionId: '' });
    t.true(answer.includes('unexpected-event'), answer);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
