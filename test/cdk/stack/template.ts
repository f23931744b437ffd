import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { argumentsIn, selfContained } from '../../../cdk/template.ts';
import { AMI_ID, CONNECT_ARN, SECRET_ARN } from '../synthesized.ts';
import { VARIANTS } from '../variants.ts';

const ROOT = join(import.meta.dirname, '../../..');
const template = selfContained({});
const functions = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'AWS::Lambda::Function');
const codeOf = (prefix: string) =>
  functions.flatMap(([id, { Properties }]) =>
    id.startsWith(prefix) ? [Properties?.['Code'] as { ZipFile: string }] : [],
  );

test('the template needs no bucket, no bootstrap and no file beside it', (t) => {
  const text = JSON.stringify(template);
  t.notRegex(text, /S3Bucket|cdk-hnb659fds|BootstrapVersion|aws:asset/);
  t.true(text.length < 1_000_000, `${text.length}`);
  t.is(functions.length, 2);
  for (const [, { Properties }] of functions) t.deepEqual(Object.keys(Properties?.['Code'] as object), ['ZipFile']);
});

test('its parameters ask for the image, the Connect instance and the key', (t) => {
  t.deepEqual(Object.keys(template.Parameters ?? {}).sort(), ['AmiId', 'ConnectInstanceArn', 'DeepgramKeySecretArn']);
  const settled = selfContained({ amiId: AMI_ID, connectInstanceArn: CONNECT_ARN, deepgramKeySecretArn: SECRET_ARN });
  t.is(settled.Parameters, undefined);
});

test('it is short enough for CloudFormation with everything that can be switched on', (t) => {
  const everything = VARIANTS['a small stack with all that can be switched on, for two Connect instances'] ?? {};
  const text = JSON.stringify(selfContained(everything));
  t.true(text.includes('ResultsReceiver'));
  t.true(text.length < 1_000_000, `${text.length}`);
});

test('the trigger in it runs as index.js', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-inline-'));
  try {
    const [code] = codeOf('Trigger');
    writeFileSync(join(directory, 'index.js'), code?.ZipFile ?? '');
    const script = `require('./index.js').handler({}).then((result) => process.stdout.write('\\n' + JSON.stringify(result)));`;
    const options = { cwd: directory, env: { LOG_LEVEL: 'silent' }, encoding: 'utf8' } as const;
    const result = execFileSync(process.execPath, ['--eval', script], options);
    t.like(JSON.parse(result), { lambdaResult: 'fail', retryable: 'false', sessionId: '' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the command writes the template, and names invalid settings', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-template-'));
  try {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(ROOT, 'cdk/template.ts'), ...args], { encoding: 'utf8' });
    const file = join(directory, 'deep/integratord.json');
    const written = run('profile=small', '--out', file);
    t.is(written.status, 0);
    t.is(written.stdout, `${file}: ${statSync(file).size} bytes\n`);
    t.true(readFileSync(file, 'utf8').includes('t4g.small'));
    const { status, stderr } = run('minInstances=x', '--out', file);
    t.is(status, 1);
    t.regex(stderr, /^template: minInstances must be a whole number/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the command takes settings with their values, and a file in both forms; anything else is an error', (t) => {
  const context = { profile: 'small', daemonSettings: '{"HOST":"a=b"}', webhook: '' };
  const settings = Object.entries(context).map(([name, value]) => `${name}=${value}`);
  for (const out of [['--out', 'small.json'], ['--out=small.json']])
    t.deepEqual(argumentsIn([...settings, ...out]), { file: 'small.json', context });
  for (const wrong of ['--help', '--output=x', '--profile=small', '--out', 'profile', '=small'])
    t.throws(() => argumentsIn([wrong]), { message: new RegExp(wrong.split('=')[0] ?? '') }, wrong);
});
