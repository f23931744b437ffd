import test from 'ava';
import { type Aws, deployedSettings, lostSettings, settingsParameter } from '../../cdk/deployed-settings.ts';
import { chosenSettings, readSettings } from '../../cdk/settings.ts';

const ACCOUNT = '123456789012';
const TARGET = { stackName: 'calls', region: 'us-east-1', account: ACCOUNT };
const KEPT = { connectInstanceArn: 'none', minInstances: '3', daemonSettings: { REPLAY_MS: '8000' } };

interface FakeAccount {
  /** Of the caller's own credentials. */
  readonly account: string;
  readonly maySee: 'parameters' | 'nothing';
  readonly mayAssume: boolean;
  readonly isDeployed: boolean;
}

/** The AWS command line of someone with such rights, and the commands that ran. */
function awsFor(fake: FakeAccount): { aws: Aws; ran: string[] } {
  const ran: string[] = [];
  const aws: Aws = (args, env = {}) => {
    const command = args.slice(0, 2).join(' ');
    const isLookup = env['AWS_ACCESS_KEY_ID'] === 'of-the-lookup-role';
    ran.push(isLookup ? `${command} as the lookup role` : command);
    if (command === 'sts get-caller-identity') return { Account: fake.account };
    if (command === 'sts assume-role') return assumed(fake);
    return parameterFor(fake, isLookup, args[args.indexOf('--name') + 1]);
  };
  return { aws, ran };
}

function assumed({ mayAssume }: FakeAccount): object {
  if (!mayAssume) throw new Error('An error occurred (AccessDenied) when calling the AssumeRole operation');
  return { Credentials: { AccessKeyId: 'of-the-lookup-role', SecretAccessKey: 's', SessionToken: 't' } };
}

function parameterFor({ account, maySee, isDeployed }: FakeAccount, isLookup: boolean, name = ''): object {
  if (maySee === 'nothing' && !isLookup) throw new Error('An error occurred (AccessDeniedException)');
  const where = isLookup ? ACCOUNT : account;
  if (!isDeployed || where !== ACCOUNT) throw new Error('An error occurred (ParameterNotFound) when calling');
  return { Parameter: { ARN: `arn:aws:ssm:us-east-1:${where}:parameter${name}`, Value: JSON.stringify(KEPT) } };
}

const someone = { account: ACCOUNT, maySee: 'parameters', mayAssume: true, isDeployed: true } as const;

test('the settings of the deployed stack are read by one command', (t) => {
  const { aws, ran } = awsFor(someone);
  t.deepEqual(deployedSettings(TARGET, aws), { kind: 'settings', settings: KEPT });
  t.deepEqual(ran, ['ssm get-parameter']);
});

for (const [who, other] of [
  ["someone who may only assume the bootstrap's roles", { maySee: 'nothing' }],
  ['a deployment with --profile, whose account the own credentials are not of', { account: '210987654321' }],
] as const) {
  test(`${who} reads them as the lookup role`, (t) => {
    const { aws, ran } = awsFor({ ...someone, ...other });
    t.deepEqual(deployedSettings(TARGET, aws), { kind: 'settings', settings: KEPT });
    t.is(ran.at(-1), 'ssm get-parameter as the lookup role');
    t.deepEqual(deployedSettings(TARGET, awsFor({ ...someone, ...other, isDeployed: false }).aws), { kind: 'none' });
  });
}

test('before the first deployment there are none, with any rights', (t) => {
  t.deepEqual(deployedSettings(TARGET, awsFor({ ...someone, isDeployed: false }).aws), { kind: 'none' });
  const { aws } = awsFor({ ...someone, isDeployed: false, mayAssume: false });
  t.deepEqual(deployedSettings(TARGET, aws), { kind: 'none' });
});

test('settings that cannot be read are unknown, with the reason', (t) => {
  const denied = deployedSettings(TARGET, awsFor({ ...someone, maySee: 'nothing', mayAssume: false }).aws);
  t.like(denied, { kind: 'unknown' });
  t.regex(denied.kind === 'unknown' ? denied.why : '', /AccessDenied/);
  const elsewhere = awsFor({ ...someone, account: '210987654321', mayAssume: false });
  t.like(deployedSettings(TARGET, elsewhere.aws), { kind: 'unknown' });
});

test('a lookup in China asks for a role of its partition', (t) => {
  const roles: (string | undefined)[] = [];
  const aws: Aws = (args) => {
    roles.push(args[args.indexOf('--role-arn') + 1]);
    throw new Error('AccessDenied');
  };
  deployedSettings({ ...TARGET, region: 'cn-north-1' }, aws);
  t.is(roles.at(-1), `arn:aws-cn:iam::${ACCOUNT}:role/cdk-hnb659fds-lookup-role-${ACCOUNT}-cn-north-1`);
});

test('every setting that is no longer given is one line, with its value and both remedies', (t) => {
  const [min, ds, ...others] = lostSettings(KEPT, { connectInstanceArn: 'none', maxInstances: 5 });
  t.deepEqual(others, []);
  t.regex(min ?? '', /^minInstances is "3" in the deployed stack, .*RestoreSettings.* -c minInstances=UNSET$/);
  t.regex(ds ?? '', /^daemonSettings is \{"REPLAY_MS":"8000"\} in the deployed stack/);
});

test('a setting is not lost if it has another value, is UNSET, or applies to a single deployment', (t) => {
  const given = { connectInstanceArn: 'arn:…', minInstances: 2, daemonSettings: 'UNSET' };
  t.deepEqual(lostSettings({ ...KEPT, rollOut: 'by-hand', desiredInstances: '0' }, given), []);
  t.deepEqual(lostSettings({ settingOfAnotherVersion: 'x' }, {}), []);
});

for (const empty of ['', null, undefined]) {
  test(`a value of ${JSON.stringify(empty)} counts as not given`, (t) => {
    t.is(lostSettings({ alarmEmail: 'on-call@example.org' }, { alarmEmail: empty }).length, 1);
  });
}

test('what a deployment keeps covers each setting that it was given', (t) => {
  const given = {
    profile: 'small',
    connectInstanceArn: 'none',
    alarmEmail: 'on-call@example.org',
    logLevel: 'debug',
    daemonSettings: { REPLAY_MS: 8000, METRICS_PORT: 9464 },
    instanceTypes: ['t4g.small', 't4g.medium'],
  };
  const kept = JSON.parse(JSON.stringify(chosenSettings(readSettings(given)))) as Record<string, unknown>;
  t.deepEqual(
    lostSettings(kept, {}).map((line) => line.split(' ')[0]),
    ['profile', 'connectInstanceArn', 'instanceTypes', 'daemonSettings', 'logLevel', 'alarmEmail'],
  );
  t.deepEqual(readSettings(kept), readSettings(given), 'and restores it');
});

test('the parameter is named after the stack', (t) => {
  t.is(settingsParameter('calls'), '/integratord/settings/calls');
});
