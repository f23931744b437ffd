import { availableParallelism } from 'node:os';
import test from 'ava';
import {
  ConfigError,
  EXIT_CONFIG,
  hostSettings,
  maskedSettings,
  readConfig,
  requiresSignedStarts,
} from '../daemon/config.ts';
import { Program } from './support/process.ts';

const NEEDED = { DEEPGRAM_API_KEY: 'key', AWS_REGION: 'us-east-1' };

test('settings have the defaults of the README', (t) => {
  t.deepEqual(readConfig(NEEDED), {
    PORT: 8080,
    HOST: '0.0.0.0',
    DEEPGRAM_API: 'wss://api.deepgram.com',
    DEEPGRAM_API_KEY: 'key',
    LOG_LEVEL: 'info',
    MAX_SESSIONS: 500,
    WORKERS: availableParallelism() > 1 ? availableParallelism() : 0,
    CALL_END_GRACE_MS: 15_000,
    ROTATE_AFTER_MS: 2_400_000,
    ALIGN_WAIT_MS: 200,
    REPLAY_MS: 6000,
    RESULTS_ALLOW_LOCAL: 'off',
    RESULTS_GIVE_UP_MS: 3_600_000,
    RESULTS_SPOOL_MIB: 768,
    DEEPGRAM_GIVE_UP_MS: 300_000,
    HEALTH_LAG_MS: 20_000,
    DRAIN_DEADLINE_MS: 7_200_000,
    region: 'us-east-1',
  });
});

test('an empty setting counts as unset', (t) => {
  t.deepEqual(
    readConfig({ ...NEEDED, PORT: '', TRIGGER_SECRET: '', TRIGGER_SECRET_ARN: '', APP_REGION: '' }),
    readConfig(NEEDED),
  );
});

test('a secret may come from a file, such as a systemd credential; a missing file counts as unset', (t) => {
  const files = { '/run/key': 'key-of-the-file\n', '/run/secret': 'secret-of-the-file' };
  const read = (path: string) => files[path as keyof typeof files];
  const named = { AWS_REGION: 'us-east-1', DEEPGRAM_API_KEY_FILE: '/run/key', TRIGGER_SECRET_FILE: '/run/secret' };
  t.like(readConfig(named, read), { DEEPGRAM_API_KEY: 'key-of-the-file', TRIGGER_SECRET: 'secret-of-the-file' });
  t.is(readConfig({ ...named, DEEPGRAM_API_KEY: 'key' }, read).DEEPGRAM_API_KEY, 'key');
  t.is(readConfig({ ...NEEDED, TRIGGER_SECRET_FILE: '/run/none' }, read).TRIGGER_SECRET, undefined);
});

const KEY_ARN = 'arn:aws:secretsmanager:eu-west-2:123456789012:secret:integrator/deepgram-key-AbCdEf';
const SECRET_ARN = 'arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:trigger';

test('a secret may be in Secrets Manager, in any region and partition', (t) => {
  const named = { AWS_REGION: 'us-east-1', DEEPGRAM_API_KEY_SECRET_ARN: KEY_ARN, TRIGGER_SECRET_ARN: SECRET_ARN };
  const config = readConfig(named);
  t.like(config, { DEEPGRAM_API_KEY_SECRET_ARN: KEY_ARN, TRIGGER_SECRET_ARN: SECRET_ARN });
  t.true(requiresSignedStarts(config));
  t.like(maskedSettings(config), {
    DEEPGRAM_API_KEY: 'in Secrets Manager',
    DEEPGRAM_API_KEY_SECRET_ARN: KEY_ARN,
    TRIGGER_SECRET: 'in Secrets Manager',
  });
});

test('a secret in Secrets Manager and in a variable or file is rejected; a missing file does not count', (t) => {
  const read = (path: string) => (path === '/run/key' ? 'key-of-the-file' : undefined);
  const named = { AWS_REGION: 'us-east-1', DEEPGRAM_API_KEY_SECRET_ARN: KEY_ARN };
  for (const other of [{ DEEPGRAM_API_KEY: 'key' }, { DEEPGRAM_API_KEY_FILE: '/run/key' }]) {
    const error = t.throws(() => readConfig({ ...named, ...other }, read), { instanceOf: ConfigError });
    t.regex(
      error.message,
      /^DEEPGRAM_API_KEY_SECRET_ARN is set together with DEEPGRAM_API_KEY or its file: remove one/,
    );
  }
  t.notThrows(() => readConfig({ ...named, DEEPGRAM_API_KEY_FILE: '/run/none' }, read));
});

test('a separate metrics port and CloudWatch are off by default', (t) => {
  const { METRICS_PORT, METRICS_STACK } = readConfig(NEEDED);
  t.deepEqual([METRICS_PORT, METRICS_STACK], [undefined, undefined]);
  t.like(readConfig({ ...NEEDED, METRICS_PORT: '9464', METRICS_STACK: 'Calls eu' }), {
    METRICS_PORT: 9464,
    METRICS_STACK: 'Calls eu',
  });
});

test('operators see the settings without the secrets', (t) => {
  const shown = maskedSettings(readConfig({ ...NEEDED, TRIGGER_SECRET: 'planted-secret' }));
  t.like(shown, { DEEPGRAM_API_KEY: 'set', TRIGGER_SECRET: 'set', AWS_REGION: 'us-east-1', PORT: 8080 });
  t.notRegex(JSON.stringify(shown), /planted/);
});

for (const [given, base] of [
  ['wss://api.deepgram.com/v1/listen', 'wss://api.deepgram.com'],
  ['wss://api.deepgram.com/v1/listen/', 'wss://api.deepgram.com'],
  ['wss://api.deepgram.com', 'wss://api.deepgram.com'],
  ['https://dg.example.org:8443/', 'wss://dg.example.org:8443'],
  ['http://10.0.0.7/speech', 'ws://10.0.0.7/speech'],
  ['ws://10.0.0.7/speech/v1/listen', 'ws://10.0.0.7/speech'],
] as const) {
  test(`DEEPGRAM_API may be ${given}`, (t) => {
    t.is(readConfig({ ...NEEDED, DEEPGRAM_API: given }).DEEPGRAM_API, base);
  });
}

test('spaces around a value are not part of it, and a value of spaces is refused', (t) => {
  t.like(readConfig({ ...NEEDED, HOST: ' 127.0.0.1 ', PORT: ' 80' }), { HOST: '127.0.0.1', PORT: 80 });
  for (const name of ['HOST', 'TRIGGER_SECRET', 'DEEPGRAM_API_KEY', 'LOG_LEVEL', 'STATE_DIR'])
    t.throws(() => readConfig({ ...NEEDED, [name]: '        ' }), {
      instanceOf: ConfigError,
      message: new RegExp(name),
    });
});

test('METRICS_PORT is another port than PORT', (t) => {
  const ports = (PORT: string, METRICS_PORT: string) => readConfig({ ...NEEDED, PORT, METRICS_PORT });
  t.throws(() => ports('9000', '9000'), { instanceOf: ConfigError, message: /^METRICS_PORT must be another port/ });
  t.notThrows(() => ports('0', '0'));
  t.notThrows(() => ports('9000', '9001'));
});

test('LOG_LEVEL may be warning, as in the original', (t) => {
  t.is(readConfig({ ...NEEDED, LOG_LEVEL: 'WARNING' }).LOG_LEVEL, 'warn');
});

test('APP_REGION, the original’s name, wins over AWS_REGION', (t) => {
  t.is(readConfig({ ...NEEDED, APP_REGION: 'eu-west-2' }).region, 'eu-west-2');
  t.is(readConfig({ DEEPGRAM_API_KEY: 'key', APP_REGION: 'us-gov-west-1' }).region, 'us-gov-west-1');
});

for (const [setting, value, says] of [
  ['PORT', 'http', /^PORT must be a whole number/],
  ['PORT', '65536', /^PORT must be at most 65535/],
  ['MAX_SESSIONS', '0', /^MAX_SESSIONS must be at least 1/],
  ['METRICS_PORT', '-1', /^METRICS_PORT must be a whole number/],
  ['METRICS_STACK', ':calls', /^METRICS_STACK must be a CloudWatch dimension value/],
  ['METRICS_STACK', 'Anrufe für alle', /^METRICS_STACK must be a CloudWatch dimension value/],
  ['CALL_END_GRACE_MS', '1.5', /^CALL_END_GRACE_MS must be a whole number \(ms\)/],
  ['CALL_END_GRACE_MS', '10', /^CALL_END_GRACE_MS must be at least 1000/],
  ['DEEPGRAM_API', 'api.deepgram.com', /^DEEPGRAM_API must be a ws, wss, http or https URL/],
  ['DEEPGRAM_API', 'wss://key@api.deepgram.com', /^DEEPGRAM_API must not contain credentials/],
  ['DEEPGRAM_API', 'wss://api.deepgram.com?model=nova-3', /^DEEPGRAM_API must not contain credentials, a query/],
  [
    'DEEPGRAM_API',
    'wss://api.deepgram.com/v2/listen',
    /^DEEPGRAM_API ends in \/v2\/listen, which serves Flux models only/,
  ],
  ['DEEPGRAM_API_KEY', 'two words', /^DEEPGRAM_API_KEY must be printable ASCII/],
  ['AWS_REGION', 'Frankfurt', /^AWS_REGION must be an AWS region/],
  ['LOG_LEVEL', 'loud', /^LOG_LEVEL must be one of trace, debug/],
  ['TRIGGER_SECRET', 'short', /^TRIGGER_SECRET must have at least 8 characters/],
  ['DEEPGRAM_API_KEY_SECRET_ARN', 'deepgram-key', /^DEEPGRAM_API_KEY_SECRET_ARN must be the ARN of a secret/],
  ['TRIGGER_SECRET_ARN', 'arn:aws:s3:::bucket', /^TRIGGER_SECRET_ARN must be the ARN of a secret/],
  ['STATE_DIR', 'state', /^STATE_DIR must be an absolute path/],
  ['STATE_DIR', '/var/../proc/state', /^STATE_DIR must not be in \/proc/],
  ['CONTROL_SOCKET', `/${'x'.repeat(107)}`, /^CONTROL_SOCKET must be at most 107 bytes/],
  ['CONTROL_SOCKET', `/${'é'.repeat(54)}`, /^CONTROL_SOCKET must be at most 107 bytes/],
] as const) {
  test(`${setting}=${value.slice(0, 40)} is rejected in one line that does not repeat it`, (t) => {
    const { DEEPGRAM_API_KEY, ...others } = NEEDED;
    const needed = setting === 'DEEPGRAM_API_KEY_SECRET_ARN' ? others : { DEEPGRAM_API_KEY, ...others };
    const error = t.throws(() => readConfig({ ...needed, [setting]: value }), { instanceOf: ConfigError });
    t.is(error.lines.length, 1);
    t.regex(error.lines[0] as string, says);
    if (/KEY|SECRET|API$/.test(setting)) t.false(error.message.includes(value));
  });
}

test('invalid and missing settings end the process with a line for each and exit code 78', async (t) => {
  const daemon = new Program('daemon/main.ts', [], { PORT: 'x', LOG_LEVEL: 'loud', TRIGGER_SECRET: 'planted' });
  t.is(await daemon.exited, EXIT_CONFIG);
  const lines = daemon.stderr.trim().split('\n');
  t.deepEqual(
    lines.map((line) => line.split(' ').slice(0, 2).join(' ')),
    [
      'integratord: PORT',
      'integratord: LOG_LEVEL',
      'integratord: TRIGGER_SECRET',
      'integratord: DEEPGRAM_API_KEY',
      'integratord: AWS_REGION',
    ],
  );
  t.false(daemon.stderr.includes('planted'));
});

test('a daemon without TRIGGER_SECRET warns that it accepts unsigned starts', async (t) => {
  const daemon = new Program('daemon/main.ts', [], { ...NEEDED, PORT: '0', HOST: '127.0.0.1' });
  t.teardown(() => daemon.stop('SIGKILL'));
  const line = await daemon.line(({ event }) => event === 'daemon.unsigned');
  t.regex(String(line['msg']), /TRIGGER_SECRET is not set/);
});

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

test('a webhook needs a secret for its host, and the errors repeat neither', (t) => {
  const url = 'https://hooks.example.com/planted/{contact-id}';
  const good = [
    { RESULTS_WEBHOOK: url, RESULTS_SECRET: WEBHOOK_SECRET },
    { RESULTS_WEBHOOK: url, RESULTS_SECRET: JSON.stringify({ 'hooks.example.com': WEBHOOK_SECRET }) },
    { RESULTS_SECRET: JSON.stringify({ 'hooks.example.com': WEBHOOK_SECRET }) },
    { RESULTS_WEBHOOK: url, RESULTS_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:results-AbCdEf' },
    { RESULTS_WEBHOOK: 'http://127.0.0.1:1/', RESULTS_SECRET: WEBHOOK_SECRET, RESULTS_ALLOW_LOCAL: 'on' },
  ];
  for (const settings of good) t.notThrows(() => readConfig({ ...NEEDED, ...settings }), JSON.stringify(settings));
  const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ RESULTS_WEBHOOK: url }, /^RESULTS_WEBHOOK needs RESULTS_SECRET/],
    [{ RESULTS_WEBHOOK: url, RESULTS_SECRET: JSON.stringify({ 'a.example': WEBHOOK_SECRET }) }, /does not list/],
    [{ RESULTS_SECRET: WEBHOOK_SECRET }, /^RESULTS_SECRET has no host/],
    [{ RESULTS_WEBHOOK: url, RESULTS_SECRET: 'planted' }, /^RESULTS_SECRET must be whsec_/],
    [{ RESULTS_WEBHOOK: 'http://hooks.example.com/', RESULTS_SECRET: WEBHOOK_SECRET }, /must be an https URL/],
    [{ RESULTS_WEBHOOK: 'https://127.0.0.1/', RESULTS_SECRET: WEBHOOK_SECRET }, /names an address/],
    [{ RESULTS_ALLOW_LOCAL: 'yes' }, /^RESULTS_ALLOW_LOCAL must be on or off/],
    [{ RESULTS_DEAD_LETTERS: 'a-bucket' }, /^RESULTS_DEAD_LETTERS must be s3:/],
    [{ RESULTS_STREAM: 'arn:aws:kinesisvideo:us-east-1:123456789012:stream/a/1' }, /^RESULTS_STREAM must be the ARN/],
    [{ STATE_KEY: 'short' }, /^STATE_KEY must have at least 16/],
  ];
  for (const [settings, fault] of wrong) {
    const { lines } = t.throws(() => readConfig({ ...NEEDED, ...settings }), { instanceOf: ConfigError });
    t.regex(lines.join('\n'), fault);
    t.notRegex(lines.join('\n'), /planted/);
  }
});

test('rules between settings are checked, even if another setting is invalid', (t) => {
  const lines = (settings: Record<string, string>) => {
    const env = { ...NEEDED, MAX_SESSIONS: 'many', ...settings };
    return t
      .throws(() => readConfig(env), { instanceOf: ConfigError })
      .lines.map((line) => line.split(' ', 2).join(' '));
  };
  t.deepEqual(lines({ PORT: '9000', METRICS_PORT: '9000' }), ['MAX_SESSIONS must', 'METRICS_PORT must']);
  const webhook = { RESULTS_WEBHOOK: 'https://hooks.example.com/' };
  t.deepEqual(lines(webhook), ['MAX_SESSIONS must', 'RESULTS_WEBHOOK needs']);
  // An invalid secret is one fault, not two.
  t.deepEqual(lines({ ...webhook, RESULTS_SECRET: 'planted' }), ['MAX_SESSIONS must', 'RESULTS_SECRET must']);
});

test('config shows of a webhook only its host, and of secrets only that they are set', (t) => {
  const shown = maskedSettings(
    readConfig({
      ...NEEDED,
      RESULTS_WEBHOOK: 'https://hooks.example.com/planted?token=planted',
      RESULTS_SECRET: WEBHOOK_SECRET,
      RESULTS_DEAD_LETTERS: 's3://a-bucket/x',
    }),
  );
  t.like(shown, {
    RESULTS_WEBHOOK: 'https://hooks.example.com',
    RESULTS_SECRET: 'set',
    RESULTS_DEAD_LETTERS: 's3://a-bucket/x/',
  });
});
test('a proxy’s URL and NO_PROXY are read in lower case too, which wins, and from a file', (t) => {
  const proxy = (env: Record<string, string>, files: Record<string, string> = {}) =>
    hostSettings(readConfig({ ...NEEDED, ...env }, (path) => files[path])).proxy;
  t.is(proxy({}), undefined);
  t.is(proxy({ NO_PROXY: 'a.test', HTTP_PROXY: 'http://proxy.test:3128' }), undefined);
  const url = 'http://proxy.test:3128';
  t.deepEqual(proxy({ HTTPS_PROXY: `${url}/`, NO_PROXY: '.a.test' }), { url, noProxy: '.a.test' });
  const lower = { https_proxy: 'https://lower.test', no_proxy: '*' };
  t.deepEqual(proxy({ HTTPS_PROXY: url, NO_PROXY: 'x', ...lower }), { url: 'https://lower.test', noProxy: '*' });
  t.deepEqual(proxy({ HTTPS_PROXY_FILE: '/proxy' }, { '/proxy': `http://user:pass@proxy.test:3128\n` }), {
    url: 'http://user:pass@proxy.test:3128',
    noProxy: '',
  });
});

test('a proxy’s credentials are not shown', (t) => {
  const shown = (url: string) => maskedSettings(readConfig({ ...NEEDED, HTTPS_PROXY: url }))['HTTPS_PROXY'];
  t.is(shown('http://user:p%40ss@proxy.test:3128'), 'http://***@proxy.test:3128');
  t.is(shown('http://token@proxy.test:3128'), 'http://***@proxy.test:3128');
  t.is(shown('http://proxy.test:3128'), 'http://proxy.test:3128');
});

for (const url of [
  'proxy.test:3128',
  'proxy.test',
  'socks5://user:secret-word@proxy.test',
  'http://',
  'http://user:secret-word@proxy.test/path',
  'http://user:secret-word%zz@proxy.test',
]) {
  test(`a proxy’s URL that cannot be used ends the start, without repeating it: ${url}`, (t) => {
    const error = t.throws(() => readConfig({ ...NEEDED, HTTPS_PROXY: url }), { instanceOf: ConfigError });
    t.regex(error?.message ?? '', /^HTTPS_PROXY must/);
    t.notRegex(error?.message ?? '', /secret-word/);
  });
}

test('a NO_PROXY that means nothing ends the start', (t) => {
  t.throws(() => readConfig({ ...NEEDED, NO_PROXY: '10.0.0.0/99' }), { message: /^NO_PROXY is not a list of hosts/ });
});

test('a missing key whose file is named and does not exist: the error names the file', (t) => {
  const error = t.throws(() =>
    readConfig({ AWS_REGION: 'us-east-1', DEEPGRAM_API_KEY_FILE: '/run/key' }, () => undefined),
  );
  t.regex(
    error?.message ?? '',
    /^DEEPGRAM_API_KEY is missing: .*; DEEPGRAM_API_KEY_FILE names \/run\/key, which is missing or empty/,
  );
});
