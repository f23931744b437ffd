import test from 'ava';
import type { Template } from 'aws-cdk-lib/assertions';
import { propertiesOf, synthesized } from '../synthesized.ts';

type Statement = { Effect: string; Action: string | string[]; Resource: unknown; Condition?: unknown };
type Role = {
  AssumeRolePolicyDocument: { Statement: { Principal: { Service: string } }[] };
  ManagedPolicyArns?: unknown[];
  Policies: { PolicyDocument: { Statement: Statement[] } }[];
};

const KEY_ARN = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const SECRET_ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:deepgram-AbCdEf';

const template = synthesized();
const withKeys = synthesized({
  streamPrefix: 'acme-connect-',
  streamsKmsKeyArn: KEY_ARN,
  deepgramKeySecretArn: SECRET_ARN,
  deepgramKeySecretKmsKeyArn: KEY_ARN,
});

function roleOf(service: string, name: string, from: Template): Role {
  const roles = Object.entries(from.findResources('AWS::IAM::Role')).filter(([id]) => id.startsWith(name));
  const role: Role = roles[0]?.[1]['Properties'];
  if (roles.length !== 1 || role.AssumeRolePolicyDocument.Statement[0]?.Principal.Service !== service) {
    throw new Error(`not one role of ${service} whose name begins with ${name}`);
  }
  return role;
}

const instanceRole = (from = template) => roleOf('ec2.amazonaws.com', 'InstanceRole', from);
const triggerRole = () => roleOf('lambda.amazonaws.com', 'Trigger', template);

function statementsOf({ Policies }: Role): Statement[] {
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

/** The only statement of a role that allows an action. */
function allowing(action: string, role: Role): Statement {
  const found = statementsOf(role).filter(
    ({ Effect, Action }) => Effect === 'Allow' && [Action].flat().includes(action),
  );
  const [statement] = found;
  if (statement === undefined || found.length > 1) throw new Error(`not one statement allows ${action}`);
  return statement;
}

/** An ARN as text, with `<…>` for what CloudFormation fills in. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = []] = Object.entries(value) as [string, never][];
  if (name === 'Fn::Join') return (argument as unknown as [string, unknown[]])[1].map(written).join('');
  return name === 'Ref' ? `<${argument}>` : `<${(argument as unknown as string[]).join('.')}>`;
}

test('an instance has exactly these permissions', (t) => {
  const actions = statementsOf(instanceRole()).flatMap(({ Action }) => Action);
  t.deepEqual(actions.sort(), [
    'autoscaling:CompleteLifecycleAction',
    'autoscaling:DescribeAutoScalingGroups',
    'autoscaling:DescribeAutoScalingInstances',
    'autoscaling:DescribeLifecycleHooks',
    'autoscaling:RecordLifecycleActionHeartbeat',
    'autoscaling:SetInstanceHealth',
    'cloudwatch:PutMetricData',
    'kinesisvideo:GetDataEndpoint',
    'kinesisvideo:GetMedia',
    'logs:CreateLogStream',
    'logs:DescribeLogStreams',
    'logs:PutLogEvents',
    'secretsmanager:GetSecretValue',
    'ssm:UpdateInstanceInformation',
    'ssmmessages:CreateControlChannel',
    'ssmmessages:CreateDataChannel',
    'ssmmessages:OpenControlChannel',
    'ssmmessages:OpenDataChannel',
  ]);
  t.is(instanceRole().ManagedPolicyArns, undefined);
});

test("an instance may read only streams named by Connect's pattern, in its own region and account", (t) => {
  const streams = 'arn:<AWS::Partition>:kinesisvideo:<AWS::Region>:<AWS::AccountId>:stream';
  t.is(written(allowing('kinesisvideo:GetMedia', instanceRole()).Resource), `${streams}/*-contact-*/*`);
  t.is(written(allowing('kinesisvideo:GetMedia', instanceRole(withKeys)).Resource), `${streams}/acme-connect-*/*`);
});

test('an instance may decrypt only with the configured keys, and only through their service', (t) => {
  const decrypting = (from: Template) =>
    statementsOf(instanceRole(from))
      .filter(({ Action }) => [Action].flat().some((action) => action.startsWith('kms:')))
      .map(({ Action, Resource, Condition }) => [Action, Resource, JSON.stringify(Condition)]);
  const via = (service: string) =>
    JSON.stringify({
      StringEquals: {
        'kms:ViaService': {
          'Fn::Join': ['', [`${service}.us-east-1.`, { Ref: 'AWS::URLSuffix' }]],
        },
      },
    });
  t.deepEqual(decrypting(template), []);
  t.deepEqual(decrypting(withKeys), [
    ['kms:Decrypt', KEY_ARN, via('kinesisvideo')],
    ['kms:Decrypt', KEY_ARN, via('secretsmanager')],
  ]);
});

test('an instance may read its secrets, the trigger only its own', (t) => {
  const { Resource: own } = allowing('secretsmanager:GetSecretValue', instanceRole());
  const withNew = synthesized({ deepgramKeySecretArn: 'new', minInstances: 0 });
  const { Resource: created } = allowing('secretsmanager:GetSecretValue', instanceRole(withNew));
  t.deepEqual(
    (created as { Ref: string }[]).map(({ Ref }) => Ref.replace(/[0-9A-F]{8}$/, '')),
    ['SecretsEmptyDeepgramKey', 'SecretsTriggerSecret', 'ResultsStateKey'],
  );
  const { Resource: existing } = allowing('secretsmanager:GetSecretValue', instanceRole(withKeys));
  t.is((existing as string[])[0], SECRET_ARN);
  const { Resource: ofTrigger } = allowing('secretsmanager:GetSecretValue', triggerRole());
  t.deepEqual(ofTrigger, (own as unknown[])[1]);
});

test('an instance may complete lifecycle actions only of its own group', (t) => {
  const { Condition, Action } = allowing('autoscaling:CompleteLifecycleAction', instanceRole());
  t.deepEqual(Condition, { StringEquals: { 'autoscaling:ResourceTag/integratord:fleet': { Ref: 'AWS::StackId' } } });
  t.true(Action.includes('autoscaling:RecordLifecycleActionHeartbeat'));
  const { Tags } = propertiesOf(template, 'AWS::AutoScaling::AutoScalingGroup') as { Tags: Record<string, unknown>[] };
  t.true(
    Tags.some(({ Key, Value }) => Key === 'integratord:fleet' && JSON.stringify(Value) === '{"Ref":"AWS::StackId"}'),
  );
});

test('an instance may send metrics of one namespace only', (t) => {
  const { Condition } = allowing('cloudwatch:PutMetricData', instanceRole());
  t.deepEqual(Condition, { StringEquals: { 'cloudwatch:namespace': 'Integratord' } });
});

test('instances and trigger may write only to their own log groups', (t) => {
  t.regex(String(written(allowing('logs:PutLogEvents', instanceRole()).Resource)), /^<LogsFleet\w+\.Arn>$/);
  t.regex(String(written(allowing('logs:PutLogEvents', triggerRole()).Resource)), /^<LogsTrigger\w+\.Arn>$/);
});

test('the permissions of instances are inline in the role, and so exist before the first instance', (t) => {
  const beside = Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    ({ Properties }) => Properties.Roles,
  );
  const roles = beside.map((role: { Ref: string }) => role.Ref);
  t.false(
    roles.some((role) => role.startsWith('InstanceRole')),
    String(roles),
  );
});

test("the trigger's code may not manage network interfaces, although Lambda may", (t) => {
  const denied = statementsOf(triggerRole()).find(({ Effect }) => Effect === 'Deny');
  const network = allowing('ec2:CreateNetworkInterface', triggerRole());
  t.deepEqual(denied?.Action, network.Action);
  t.deepEqual(denied?.Condition, { Null: { 'lambda:SourceFunctionArn': 'false' } });
  t.is(triggerRole().ManagedPolicyArns, undefined);
});
