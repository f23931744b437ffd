import test from 'ava';
import { readSettings } from '../../trigger/settings.ts';

const urlFor = (domain: string) => readSettings({ KVS_DG_INTEGRATOR_DOMAIN: domain }).startSessionUrl.href;

for (const [domain, url] of [
  ['lb.internal', 'http://lb.internal/start-session'],
  ['lb.internal:8080', 'http://lb.internal:8080/start-session'],
  ['10.0.0.1', 'http://10.0.0.1/start-session'],
  ['[fd00::1]:8080', 'http://[fd00::1]:8080/start-session'],
  [' lb.internal\n', 'http://lb.internal/start-session'],
  ['http://lb.internal', 'http://lb.internal/start-session'],
  ['https://lb.internal:8443/', 'https://lb.internal:8443/start-session'],
  ['https://lb.internal/dg/v1//', 'https://lb.internal/dg/v1/start-session'],
] as const) {
  test(`the domain ${JSON.stringify(domain)} means ${url}`, (t) => {
    t.is(urlFor(domain), url);
  });
}

for (const domain of [
  '',
  '  ',
  'lb.internal/path',
  'lb.internal:port',
  'lb.internal:99999',
  'lb internal',
  'ftp://lb.internal',
  'file:///etc/passwd',
  'http://',
  'http:/lb.internal',
  '//lb.internal',
  'user:hunter2@lb.internal',
  'http://user:hunter2@lb.internal',
  'http://user:hunter2@lb.internal:port',
  'http://hunter2@lb.internal',
  'http://lb.internal/?key=hunter2',
  'http://lb.internal/#hunter2',
]) {
  test(`the domain ${JSON.stringify(domain)} is refused, and not repeated`, (t) => {
    const error = t.throws(() => urlFor(domain), { name: 'TriggerFailure', code: 'bad-setting' });
    t.true(error?.message.includes('KVS_DG_INTEGRATOR_DOMAIN'));
    t.false(error?.message.includes('hunter2'));
  });
}

test('a missing domain is refused like an empty one', (t) => {
  t.throws(() => readSettings({}), { name: 'TriggerFailure', message: /KVS_DG_INTEGRATOR_DOMAIN is not set/ });
});

test('an empty secret counts as none', (t) => {
  t.is(readSettings({ KVS_DG_INTEGRATOR_DOMAIN: 'lb', TRIGGER_SECRET: '' }).triggerSecret, undefined);
  t.is(readSettings({ KVS_DG_INTEGRATOR_DOMAIN: 'lb', TRIGGER_SECRET: 's' }).triggerSecret, 's');
});

test('spaces and line breaks around the secret are not part of it, as for the daemon', (t) => {
  const secret = (value: string) =>
    readSettings({ KVS_DG_INTEGRATOR_DOMAIN: 'lb', TRIGGER_SECRET: value }).triggerSecret;
  t.is(secret(' a secret\n'), 'a secret');
  t.throws(() => secret('  \n'), { name: 'TriggerFailure', code: 'bad-setting', message: /TRIGGER_SECRET has only/ });
});

const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:trigger-AbCdEf';

test('the secret may be in Secrets Manager', (t) => {
  t.is(readSettings({ KVS_DG_INTEGRATOR_DOMAIN: 'lb', TRIGGER_SECRET_ARN: ARN }).triggerSecretArn, ARN);
  t.is(readSettings({ KVS_DG_INTEGRATOR_DOMAIN: 'lb', TRIGGER_SECRET_ARN: '' }).triggerSecretArn, undefined);
});

for (const [what, env] of [
  ['an ARN of something else', { TRIGGER_SECRET_ARN: 'arn:aws:s3:::hunter2' }],
  ['a secret in two places', { TRIGGER_SECRET_ARN: ARN, TRIGGER_SECRET: 'hunter2' }],
] as const) {
  test(`${what} is refused, and the setting is named`, (t) => {
    const read = () => readSettings({ KVS_DG_INTEGRATOR_DOMAIN: 'lb', ...env });
    const error = t.throws(read, { name: 'TriggerFailure', code: 'bad-setting', message: /TRIGGER_SECRET_ARN/ });
    t.false(error?.message.includes('hunter2'));
  });
}
