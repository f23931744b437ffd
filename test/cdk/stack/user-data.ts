import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { REFUSED } from '../../../cdk/daemon-settings.ts';
import { userDataWith } from '../../../cdk/user-data.ts';
import { readConfig } from '../../../daemon/config.ts';
import { propertiesOf, SECRET_ARN, synthesized } from '../synthesized.ts';

/** Values that CloudFormation fills in, by the beginning of the reference's name. */
const FILLED_IN: Record<string, string> = {
  'AWS::Region': 'us-east-1',
  'AWS::StackName': 'integratord',
  SecretsTriggerSecret: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:Trigger-AbCdEf',
  ResultsStateKey: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:StateKey-AbCdEf',
  LogsFleet: 'integratord-LogsFleet-abc',
};

/** The script as an instance receives it. */
function scriptOf(context: Record<string, unknown> = {}): string {
  const { UserData } = propertiesOf(synthesized(context), 'AWS::EC2::LaunchTemplate')['LaunchTemplateData'] as {
    UserData: { 'Fn::Base64': { 'Fn::Join': [string, (string | { Ref: string })[]] } };
  };
  return UserData['Fn::Base64']['Fn::Join'][1]
    .map((part) => (typeof part === 'string' ? part : filledIn(part)))
    .join('');
}

function filledIn({ Ref }: { Ref: string }): string {
  const [, value] = Object.entries(FILLED_IN).find(([name]) => Ref.startsWith(name)) ?? [];
  if (value === undefined) throw new Error(`user data refers to ${Ref}`);
  return value;
}

/** Runs user data in a shell with another root directory; returns what it wrote and called. */
function run(script: string, logGroupExit = 0): { env: string; calls: string } {
  const root = mkdtempSync(join(tmpdir(), 'integratord-user-data-'));
  try {
    for (const directory of ['etc/integratord', 'usr/local/sbin', 'bin'])
      mkdirSync(join(root, directory), { recursive: true });
    const exits = {
      'usr/local/sbin/integratord-log-group': logGroupExit,
      'usr/local/sbin/integratord-proxy': 0,
      'bin/systemctl': 0,
      'bin/logger': 0,
    };
    for (const [command, exit] of Object.entries(exits)) {
      const file = join(root, command);
      writeFileSync(file, `#!/bin/sh\necho "\${0##*/} $*" >>'${root}/calls'\nexit ${exit}\n`);
      chmodSync(file, 0o755);
    }
    const here = script
      .replaceAll(' /usr/local', ` ${root}/usr/local`)
      .replaceAll('\n/usr/local', `\n${root}/usr/local`);
    const input = here.replaceAll('>/etc/', `>${root}/etc/`);
    execFileSync('/bin/sh', ['-s'], { input, cwd: root, env: { PATH: `${root}/bin:/usr/bin:/bin` } });
    const read = (file: string) => readFileSync(join(root, file), 'utf8');
    return { env: read('etc/integratord/integratord.env'), calls: read('calls') };
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Parses an environment file as systemd does, limited to NAME="value". */
function settingsIn(env: string): Record<string, string> {
  const lines = env.trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = line.match(/^(\w+)="((?:[^"\\]|\\.)*)"$/) ?? [];
      return [name, value.replace(/\\(.)/g, '$1')];
    }),
  );
}

test('user data writes the settings, starts the daemon with them, and configures the log group', (t) => {
  const { env, calls } = run(scriptOf());
  t.deepEqual(settingsIn(env), {
    AWS_REGION: 'us-east-1',
    DEEPGRAM_API: 'wss://api.deepgram.com/v1/listen',
    DEEPGRAM_API_KEY_SECRET_ARN: SECRET_ARN,
    TRIGGER_SECRET_ARN: FILLED_IN['SecretsTriggerSecret'],
    PORT: '8080',
    MAX_SESSIONS: '500',
    HEALTH_LAG_MS: '20000',
    DRAIN_DEADLINE_MS: '7200000',
    LOG_LEVEL: 'info',
    METRICS_STACK: 'integratord',
    STATE_KEY_SECRET_ARN: FILLED_IN['ResultsStateKey'],
  });
  t.is(calls, 'systemctl restart --no-block integratord\nintegratord-log-group integratord-LogsFleet-abc\n');
});

test('a proxy reaches the daemon and the AWS agents', (t) => {
  const { env, calls } = run(
    scriptOf({ httpsProxy: 'http://proxy.example.com:3128/', noProxy: '.a.test, 10.0.0.0/8' }),
  );
  const proxy = { HTTPS_PROXY: 'http://proxy.example.com:3128', NO_PROXY: '.a.test,10.0.0.0/8' };
  t.like(settingsIn(env), proxy);
  t.like(
    readConfig({ ...settingsIn(env) }, () => undefined),
    proxy,
  );
  t.is(calls.split('\n')[1], 'integratord-proxy http://proxy.example.com:3128 .a.test,10.0.0.0/8');
  t.regex(calls, /integratord-log-group/);
});

test('a failure to send the log is reported, and the daemon was started before', (t) => {
  const { calls } = run(scriptOf(), 1);
  t.is(calls.split('\n')[0], 'systemctl restart --no-block integratord');
  t.is(calls.split('\n')[2], 'logger -t integratord-user-data no log to CloudWatch');
});

test('daemonSettings reach the daemon, and every setting of the stack itself is refused there', (t) => {
  const stackItself = settingsIn(run(scriptOf()).env);
  t.deepEqual(
    Object.keys(stackItself).filter((name) => !(name in REFUSED)),
    [],
  );
  const asText = settingsIn(run(scriptOf({ daemonSettings: '{"WORKERS":0,"HOST":"10.0.0.1"}' })).env);
  t.deepEqual(asText, { ...stackItself, WORKERS: '0', HOST: '10.0.0.1' });
  t.like(
    readConfig(asText, () => undefined),
    { WORKERS: 0, HOST: '10.0.0.1' },
  );
  const asJson = settingsIn(run(scriptOf({ daemonSettings: { DEEPGRAM_GIVE_UP_MS: 60_000, METRICS_PORT: '' } })).env);
  t.deepEqual(asJson, { ...stackItself, DEEPGRAM_GIVE_UP_MS: '60000' }, 'an empty value counts as unset');
});

test("the daemon accepts the stack's settings", (t) => {
  const settings = { sessionsPerInstance: 250, drainDeadlineMinutes: 30, logLevel: 'warn' };
  const { env } = run(scriptOf({ ...settings, deepgramApi: 'ws://deepgram.internal:8080' }));
  const config = readConfig(settingsIn(env), () => undefined);
  t.like(config, {
    region: 'us-east-1',
    DEEPGRAM_API: 'ws://deepgram.internal:8080',
    MAX_SESSIONS: 250,
    DRAIN_DEADLINE_MS: 1_800_000,
    LOG_LEVEL: 'warn',
    PORT: 8080,
  });
});

test('user data contains no secret, only ARNs', (t) => {
  const script = scriptOf();
  const names = Object.keys(settingsIn(run(script).env));
  t.deepEqual(
    names.filter((name) => /KEY|SECRET|TOKEN|PASSWORD/.test(name)),
    ['DEEPGRAM_API_KEY_SECRET_ARN', 'TRIGGER_SECRET_ARN', 'STATE_KEY_SECRET_ARN'],
  );
  t.false(script.includes('{{resolve:'), 'CloudFormation would write the secret into it');
});

test('special characters in a value reach the daemon unchanged', (t) => {
  const hostile = `$(touch pwned) \`id\` "quoted" 'single' back\\slash $HOME END_OF_SETTINGS ; rm -rf .`;
  const { env } = run(`${userDataWith({ HOSTILE: hostile }, 'group').render()}`);
  t.deepEqual(settingsIn(env), { HOSTILE: hostile });
});

test('a value of several lines, which would break the file, is refused by name', (t) => {
  t.throws(() => userDataWith({ DEEPGRAM_API: 'a\nEND_OF_SETTINGS\nreboot' }, 'group'), {
    message: /^DEEPGRAM_API has/,
  });
});

test('a failing command ends user data: no daemon runs with half of its settings', (t) => {
  const failing = scriptOf().replace('>/etc/integratord/', '>/etc/is-not-there/');
  t.throws(() => run(failing));
});
