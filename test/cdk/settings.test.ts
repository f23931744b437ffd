import test from 'ava';
import type { Place } from '../../cdk/place.ts';
import { chosenSettings, readSettings, SettingsError, withRegion } from '../../cdk/settings.ts';

const SUBNETS = 'subnet-0123456789abcdef0,subnet-0fedcba9876543210';
const SECRET_ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:deepgram-AbCdEf';
const CONNECT_ARN = 'arn:aws:connect:eu-west-2:123456789012:instance/12345678-1234-1234-1234-123456789012';

function linesFor(context: Record<string, unknown>, place: Place = {}): readonly string[] {
  try {
    readSettings(context, place);
  } catch (error) {
    if (error instanceof SettingsError) return error.lines;
    throw error;
  }
  return [];
}

for (const [name, value, expected] of [
  ['amiId', 'ami-xyz', 'must be the id of an image'],
  ['stackName', '2nd', 'must be letters, digits and hyphens'],
  ['connectInstanceArn', 'my-instance', 'must be ARNs of Amazon Connect instances, or `none`'],
  ['connectInstanceArn', `none,${CONNECT_ARN}`, 'must be `none` or ARNs, not both'],
  ['connectInstanceArn', `${CONNECT_ARN},${CONNECT_ARN}`, 'must not contain duplicates'],
  ['profile', 'tiny', 'must be standard or small'],
  ['streamPrefix', 'acme/*', 'must be letters, digits'],
  ['streamsKmsKeyArn', 'alias/calls', 'must be the ARN of a KMS key'],
  ['deepgramApi', 'deepgram.example.org', 'must be a ws, wss, http or https URL'],
  ['deepgramApi', 'wss://user:secret@deepgram.example.org', 'must not contain credentials'],
  ['deepgramKeySecretArn', 'my-key', 'must be the ARN of a secret'],
  ['deepgramKeySecretKmsKeyArn', 'key', 'must be the ARN of a KMS key'],
  ['transcriptStream', 'transcripts', 'must be on, off, or the ARN of a Kinesis data stream'],
  ['transcriptStream', 'arn:aws:kinesisvideo:us-east-1:123456789012:stream/x/1', 'must be on, off, or the ARN'],
  ['transcriptStreamKmsKeyArn', 'alias/aws/kinesis', 'must be the ARN of a KMS key'],
  ['webhook', 'http://results.example.org', 'must be an https URL'],
  ['webhook', 'results.example.org/{contact-id}', 'must be an https URL'],
  ['webhook', 'https://user:secret@results.example.org', 'must not contain credentials'],
  ['webhook', 'https://results.example.org/\nPORT=1', 'must not contain white space'],
  ['webhook', 'https://{contact-id}.example.org/', 'must not have {contact-id} in its host'],
  ['webhook', 'https://169.254.169.254/', 'names an address that is loopback, link-local'],
  ['deepgramApi', 'wss://api.deepgram.com/v2/listen', 'ends in /v2/listen, which serves Flux models only'],
  ['connectInstanceArn', 41, 'must be ARNs of Amazon Connect instances'],
  ['noStartsCalls', -1, 'must be a whole number'],
  ['webhookSecretArn', 'whsec_secret@', 'must be the ARN of a secret'],
  ['webhookSecretKmsKeyArn', 'key', 'must be the ARN of a KMS key'],
  ['receiver', 'yes', 'must be on or off'],
  ['transcriptRetentionDays', 0, 'must be at least 1'],
  ['vpcId', 'default', 'must be the id of a VPC'],
  ['subnetIds', 'a,b', 'must be ids of subnets'],
  ['subnetIds', 'subnet-0123456789abcdef0', 'must be at least two subnets'],
  ['subnetIds', 'subnet-0123456789abcdef0,subnet-0123456789abcdef0', 'must not contain duplicates'],
  ['availabilityZones', 'use1-az1,use1-az2', 'must be names of zones, separated by commas, such as us-east-1a'],
  ['availabilityZones', 'us-west-2a,us-west-2-lax-1a', 'must be names of zones'],
  ['availabilityZones', 'us-east-1a', 'must be two zones'],
  ['availabilityZones', 'us-east-1a,us-east-1b,us-east-1c', 'must be two zones'],
  ['availabilityZones', 'us-east-1a,us-east-1a', 'must not contain duplicates'],
  ['natGateways', 3, 'must be at most 2'],
  ['privateLink', 'yes', 'must be on or off'],
  ['httpsProxy', 'proxy.example.com:3128', 'must be the http or https URL of a proxy'],
  ['httpsProxy', 'http://user:secret@proxy.example.com:3128', 'must not contain credentials'],
  ['httpsProxy', 'http://proxy.example.com/path', 'must not contain a path'],
  ['noProxy', "a.test,b'c", 'is not a list of hosts'],
  ['instanceTypes', 'large', 'must be instance types'],
  ['instanceTypes', 'c7h.large', 'must be instance types that exist'],
  ['instanceTypes', 'c7g.huge', 'must be instance types that exist'],
  ['instanceTypes', 'c7g.24xlarge', 'must be instance types that exist'],
  ['instanceTypes', 't4g.small,t4g.4xlarge', 'must be instance types that exist'],
  ['instanceTypes', 'c7g.large,c7i.large', 'must all have the architecture of the image'],
  ['minInstances', -1, 'must be a whole number'],
  ['maxInstances', 0, 'must be at least 1'],
  ['desiredInstances', 'two', 'must be a whole number'],
  ['sessionsPerInstance', 0, 'must be at least 1'],
  ['targetCapacityPercent', 100, 'must be at most 90'],
  ['spotPercent', 101, 'must be at most 100'],
  ['onDemandBase', 1.5, 'must be a whole number'],
  ['drainDeadlineMinutes', 2880, 'must be at most 2820'],
  ['drainDeadlineMinutes', 0, 'must be at least 1'],
  ['daemonSettings', 'WORKERS=2', 'must be a JSON object'],
  ['daemonSettings', '["WORKERS"]', 'must be a JSON object'],
  ['daemonSettings', { WORKER: 2 }, 'sets WORKER: the daemon has no such setting; it may be one of HOST, WORKERS'],
  ['daemonSettings', { MAX_SESSIONS: 9 }, 'sets MAX_SESSIONS: set sessionsPerInstance instead'],
  ['daemonSettings', { STATE_DIR: '/mnt' }, "sets STATE_DIR: the image's systemd unit sets it"],
  ['daemonSettings', { DEEPGRAM_API_KEY: 'secret@' }, 'sets DEEPGRAM_API_KEY: a secret would be readable'],
  ['daemonSettings', { TRIGGER_SECRET: 'secret@' }, 'sets TRIGGER_SECRET: the stack generates'],
  ['daemonSettings', { TRIGGER_SECRET_FILE: '/secret@' }, 'sets TRIGGER_SECRET_FILE: the daemon has no such'],
  ['daemonSettings', { AWS_SECRET_ACCESS_KEY: 'secret@' }, 'sets AWS_SECRET_ACCESS_KEY: the daemon has no such'],
  ['daemonSettings', { constructor: 1 }, 'sets constructor: the daemon has no such setting'],
  ['daemonSettings', { REPLAY_MS: 40_000 }, 'sets REPLAY_MS: must be at most 30000 (ms)'],
  ['daemonSettings', '{"WORKERS":"many"}', 'sets WORKERS: must be a whole number'],
  ['daemonSettings', { WORKERS: true }, 'sets WORKERS: must be text or a number'],
  ['daemonSettings', { HOST: '0.0.0.0\nPORT=1' }, 'sets HOST: must be one line'],
  ['daemonSettings', { METRICS_PORT: 8080 }, 'sets METRICS_PORT: must be a port of its own'],
  ['rollOut', 'fast', 'must be one of guarded, unguarded, by-hand'],
  ['logLevel', 'verbose', 'must be one of trace, debug'],
  ['logRetentionDays', 31, 'must be a retention that CloudWatch Logs supports'],
  ['alarmEmail', 'on-call', 'must be an e-mail address'],
] as const) {
  test(`${name} = ${JSON.stringify(value)}: ${expected}`, (t) => {
    const lines = linesFor({ [name]: value }).filter((line) => line.startsWith(`${name} `));
    t.is(lines.length, 1);
    t.true(lines[0]?.includes(expected), lines[0]);
    t.false(lines[0]?.includes('secret@'), 'a value may contain a secret, and is not repeated');
  });
}

for (const [what, context, expected] of [
  ['a VPC without subnets', { vpcId: 'vpc-0123456789abcdef0' }, 'vpcId and subnetIds belong together'],
  ['subnets without a VPC', { subnetIds: SUBNETS }, 'vpcId and subnetIds belong together'],
  [
    'zones beside an existing VPC',
    { vpcId: 'vpc-0123456789abcdef0', subnetIds: SUBNETS, availabilityZones: 'us-east-1a,us-east-1b' },
    'availabilityZones is about a new VPC',
  ],
  ['a minimum above the maximum', { minInstances: 11 }, 'minInstances is 11, above maxInstances'],
  ['a desired size out of bounds', { desiredInstances: 1 }, 'desiredInstances is 1, not between'],
  [
    'no route to the internet, and no PrivateLink',
    { natGateways: 0, deepgramApi: 'ws://deepgram.internal' },
    'natGateways is 0',
  ],
  ['no route to the internet, and Deepgram on the internet', { natGateways: 0, privateLink: 'on' }, 'natGateways is 0'],
  [
    'no route to the internet, and a proxy that the trigger cannot use',
    { natGateways: 0, httpsProxy: 'http://proxy.example.com:3128' },
    'natGateways is 0: the trigger does not use httpsProxy',
  ],
  ['hosts without a proxy to reach them without', { noProxy: '.example.com' }, 'noProxy is about httpsProxy'],
  [
    'a key without its secret',
    { deepgramKeySecretKmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd' },
    'deepgramKeySecretKmsKeyArn is the key of the secret',
  ],
  [
    'a receiver beside a webhook',
    { receiver: 'on', webhook: 'https://results.example.org' },
    'receiver is on, and becomes the webhook',
  ],
  [
    'a receiver with a secret of your own',
    { receiver: 'on', webhookSecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:webhook-AbCdEf' },
    'receiver is on, and has a secret',
  ],
  [
    'a receiver without a route to it',
    { receiver: 'on', natGateways: 0, privateLink: 'on', deepgramApi: 'ws://deepgram.internal' },
    'receiver is on, and its function URL is on the internet',
  ],
  [
    'the key of a secret that is not given',
    { webhookSecretKmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd' },
    'webhookSecretKmsKeyArn is the key of the secret',
  ],
  [
    'the key of a stream that the stack creates',
    { transcriptStream: 'on', transcriptStreamKmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd' },
    'transcriptStreamKmsKeyArn is the key of an existing stream',
  ],
  [
    'the key of a stream in another region',
    {
      transcriptStream: 'arn:aws:kinesis:eu-west-2:123456789012:stream/transcripts',
      transcriptStreamKmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd',
    },
    'transcriptStreamKmsKeyArn is in us-east-1, but the stream is in eu-west-2',
  ],
  [
    'a small stack in an existing VPC',
    { profile: 'small', vpcId: 'vpc-0123456789abcdef0', subnetIds: SUBNETS },
    'profile is small',
  ],
  ['a small stack with NAT gateways', { profile: 'small', natGateways: 1 }, 'profile is small'],
  ['a typo', { minInstance: 3 }, 'minInstance is not a setting; the settings are amiId'],
] as const) {
  test(`${what} is refused by name`, (t) => {
    const lines = linesFor(context);
    t.is(lines.length, 1);
    t.true(lines[0]?.startsWith(expected), lines[0]);
  });
}

test('with an image, a deployment must say what a running stack would lose otherwise', (t) => {
  const [connect, key, ...others] = linesFor({ amiId: 'ami-0123456789abcdef0' });
  t.deepEqual(others, []);
  t.regex(connect ?? '', /^connectInstanceArn is not set: .*`none`.*RestoreSettings/);
  t.regex(key ?? '', /^deepgramKeySecretArn is not set: .*`new`.*RestoreSettings/);
  const said = { amiId: 'ami-0123456789abcdef0', connectInstanceArn: 'none', deepgramKeySecretArn: SECRET_ARN };
  t.deepEqual(linesFor(said), []);
});

test('an image that a failed command leaves empty is an error', (t) => {
  const [line, ...others] = linesFor({ amiId: '' });
  t.regex(line ?? '', /^amiId is empty: /);
  t.deepEqual(others, []);
});

test('an empty secret with instances is an error, and not without', (t) => {
  t.regex(linesFor({ deepgramKeySecretArn: 'new' })[0] ?? '', /^deepgramKeySecretArn is `new`, .*minInstances=0/);
  const desired = { deepgramKeySecretArn: 'new', minInstances: 0, desiredInstances: 1 };
  t.regex(linesFor(desired)[0] ?? '', /^deepgramKeySecretArn is `new`/);
  t.deepEqual(linesFor({ deepgramKeySecretArn: 'new', minInstances: 0 }), []);
});

test('Connect instances of different regions or accounts are refused: a stack is for one', (t) => {
  const arns = [CONNECT_ARN, CONNECT_ARN.replace('eu-west-2', 'eu-west-1')].join(',');
  t.deepEqual(linesFor({ connectInstanceArn: arns }), [
    'connectInstanceArn has instances of different regions or accounts: deploy a stack for each',
  ]);
  t.deepEqual(linesFor({ connectInstanceArn: `${CONNECT_ARN},${CONNECT_ARN.replace('/12345678', '/87654321')}` }), []);
});

test('the settings that are kept in the stack are those that another checkout needs to say', (t) => {
  const context = { connectInstanceArn: 'none', deepgramKeySecretArn: SECRET_ARN, minInstances: 3, privateLink: true };
  const chosen = chosenSettings(readSettings({ ...context, amiId: 'ami-0123456789abcdef0', maxInstances: 10 }));
  t.deepEqual(chosen, { ...context, minInstances: '3', privateLink: 'on' });
  t.deepEqual(chosenSettings(readSettings(chosen)), chosen);
  t.deepEqual(chosenSettings(readSettings({})), {});
});

test('the daemon settings that are kept are those that were given', (t) => {
  const given = { daemonSettings: { REPLAY_MS: 8000, METRICS_PORT: 9464 } };
  const chosen = chosenSettings(readSettings(given));
  t.deepEqual(chosen, { daemonSettings: { REPLAY_MS: '8000', METRICS_PORT: '9464' } });
  t.deepEqual(readSettings(chosen), readSettings(given));
});

test('UNSET means the default', (t) => {
  t.deepEqual(readSettings({ minInstances: 'UNSET', vpcId: 'UNSET', webhook: 'UNSET' }), readSettings({}));
  const image = { amiId: 'ami-0123456789abcdef0', deepgramKeySecretArn: SECRET_ARN, connectInstanceArn: 'UNSET' };
  t.regex(linesFor(image)[0] ?? '', /^connectInstanceArn is not set/, 'they have a word of their own');
});

test('a stack in another region or account than its Connect instance is refused, with a remedy', (t) => {
  const connect = { connectInstanceArn: CONNECT_ARN };
  t.deepEqual(linesFor(connect, { region: 'us-east-1', account: '210987654321' }), [
    'connectInstanceArn is in eu-west-2, but the stack would be in us-east-1: set AWS_REGION=eu-west-2',
    'connectInstanceArn is in account 123456789012, but the stack would be in 210987654321: use credentials of 123456789012',
  ]);
  t.deepEqual(linesFor(connect, { region: 'eu-west-2', account: '123456789012' }), []);
  t.deepEqual(linesFor(connect), [], 'while that is unknown');
});

test('zones of another region than the stack are refused', (t) => {
  const zones = { availabilityZones: 'eu-west-2a,eu-west-2c' };
  const line = (zone: string, region: string) => [
    `availabilityZones has ${zone}, but the stack would be in ${region}: choose two zones there`,
  ];
  t.deepEqual(linesFor(zones, { region: 'us-east-1' }), line('eu-west-2a', 'us-east-1'));
  const connect = { connectInstanceArn: CONNECT_ARN };
  t.deepEqual(linesFor({ ...zones, ...connect }, { region: 'eu-west-2' }), []);
  t.deepEqual(
    linesFor({ ...connect, availabilityZones: 'eu-west-2a,eu-west-1a' }, { region: 'eu-west-2' }),
    line('eu-west-1a', 'eu-west-2'),
  );
  t.deepEqual(linesFor(zones), [], 'while the region is unknown');
  t.deepEqual(linesFor({ availabilityZones: 'eu-west-2a,eu-west-1a' }), line('eu-west-1a', 'eu-west-2'));
  t.deepEqual(linesFor({ availabilityZones: 'us-gov-west-1a,us-gov-west-1b' }, { region: 'us-gov-west-1' }), []);
});

test('a key secret that PrivateLink cannot reach is refused', (t) => {
  const here = { connectInstanceArn: CONNECT_ARN, deepgramKeySecretArn: SECRET_ARN, privateLink: 'on' };
  const existing = { vpcId: 'vpc-0123456789abcdef0', subnetIds: SUBNETS };
  const line =
    'deepgramKeySecretArn is in us-east-1, out of reach of PrivateLink in eu-west-2: replicate the secret there ' +
    '(aws secretsmanager replicate-secret-to-regions), and use the ARN of the replica';
  t.deepEqual(linesFor({ ...here, natGateways: 0, deepgramApi: 'ws://deepgram.internal' }), [line]);
  t.deepEqual(linesFor({ ...here, ...existing }), [line]);
  t.deepEqual(linesFor(here), [], 'through the NAT gateways');
  t.deepEqual(linesFor({ ...here, ...existing, privateLink: 'off' }), []);
  t.deepEqual(
    linesFor({ ...here, ...existing, deepgramKeySecretArn: SECRET_ARN.replace('us-east-1', 'eu-west-2') }),
    [],
  );
});

test('what else PrivateLink cannot reach is refused too', (t) => {
  const closed = {
    connectInstanceArn: CONNECT_ARN,
    privateLink: 'on',
    natGateways: 0,
    deepgramApi: 'ws://deepgram.internal',
  };
  const elsewhere = {
    transcriptStream: 'arn:aws:kinesis:us-east-1:123456789012:stream/x',
    webhookSecretArn: SECRET_ARN,
  };
  t.deepEqual(
    linesFor({ ...closed, ...elsewhere }).map((line) => line.split(':')[0]),
    [
      'webhookSecretArn is in us-east-1, out of reach of PrivateLink in eu-west-2',
      'transcriptStream is in us-east-1, out of reach of PrivateLink in eu-west-2',
    ],
  );
  t.deepEqual(linesFor({ ...closed, ...elsewhere, natGateways: 1 }), [], 'through a NAT gateway');
});

test('ARNs of another partition are refused, whatever they name', (t) => {
  const inLondon = { connectInstanceArn: CONNECT_ARN };
  const china = (arn: string) => arn.replace('arn:aws:', 'arn:aws-cn:').replace(/us-east-1|eu-west-2/, 'cn-north-1');
  const key = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd';
  for (const [name, arn, beside] of [
    ['streamsKmsKeyArn', key.replace('us-east-1', 'eu-west-2'), {}],
    ['deepgramKeySecretArn', SECRET_ARN, {}],
    ['deepgramKeySecretKmsKeyArn', key, { deepgramKeySecretArn: SECRET_ARN }],
    ['transcriptStream', 'arn:aws:kinesis:us-east-1:123456789012:stream/x', {}],
    ['webhookSecretArn', SECRET_ARN, {}],
    ['webhookSecretKmsKeyArn', key, { webhookSecretArn: SECRET_ARN }],
  ] as const) {
    t.deepEqual(linesFor({ ...inLondon, ...beside, [name]: arn }), [], name);
    const lines = linesFor({ ...inLondon, ...beside, [name]: china(arn) });
    t.true(
      lines.includes(`${name} is in partition aws-cn, but the stack would be in aws, which cannot reach it`),
      name,
    );
    const contradicting = linesFor({ ...inLondon, ...beside, [name]: arn.replace('arn:aws:', 'arn:aws-us-gov:') });
    t.regex(contradicting.join('\n'), new RegExp(`${name} begins with arn:aws-us-gov, but .* is in aws: copy`), name);
  }
});

test('everything in GovCloud is a stack like any other', (t) => {
  const gov = (arn: string) =>
    arn.replace('arn:aws:', 'arn:aws-us-gov:').replace(/us-east-1|eu-west-2/, 'us-gov-west-1');
  const given = { connectInstanceArn: gov(CONNECT_ARN), deepgramKeySecretArn: gov(SECRET_ARN) };
  t.deepEqual(linesFor(given, { region: 'us-gov-west-1', account: '123456789012' }), []);
});

test('a secret of another account needs a key of its own, which that account can share', (t) => {
  const foreign = SECRET_ARN.replace('123456789012', '210987654321');
  const [line, ...others] = linesFor({ connectInstanceArn: CONNECT_ARN, deepgramKeySecretArn: foreign });
  t.regex(line ?? '', /^deepgramKeySecretArn is in account 210987654321, .* or set deepgramKeySecretKmsKeyArn/);
  t.deepEqual(others, []);
  const key = 'arn:aws:kms:us-east-1:210987654321:key/1234abcd';
  const shared = { deepgramKeySecretArn: foreign, deepgramKeySecretKmsKeyArn: key };
  t.deepEqual(linesFor({ connectInstanceArn: CONNECT_ARN, ...shared }), []);
  t.regex(
    linesFor({ connectInstanceArn: CONNECT_ARN, webhookSecretArn: foreign })[0] ?? '',
    /^webhookSecretArn is in account/,
  );
  t.deepEqual(linesFor({ deepgramKeySecretArn: foreign }), [], 'while the account of the stack is unknown');
});

test('as many Connect instances as the policy of a function has room for', (t) => {
  const arns = (count: number) =>
    Array.from({ length: count }, (_, at) => CONNECT_ARN.replace('instance/12345678', `instance/${10_000_000 + at}`));
  t.deepEqual(linesFor({ connectInstanceArn: arns(20) }), []);
  t.deepEqual(linesFor({ connectInstanceArn: arns(21) }), [
    'connectInstanceArn must be at most 20 ARNs: deploy another stack for more',
  ]);
});

test('the small profile may have a proxy: its trigger has an endpoint for its secret', (t) => {
  t.deepEqual(linesFor({ profile: 'small', httpsProxy: 'http://proxy.example.com:3128' }), []);
});

test('hosts without the proxy may be separated by spaces', (t) => {
  const proxy = { httpsProxy: 'http://proxy.example.com:3128' };
  t.is(
    readSettings({ ...proxy, noProxy: '.amazonaws.com 10.0.0.0/8,  a.example' }).noProxy,
    '.amazonaws.com,10.0.0.0/8,a.example',
  );
});

test('a key in another region than what it encrypts is refused', (t) => {
  const key = (region: string) => `arn:aws:kms:${region}:123456789012:key/1234abcd`;
  const streams = { connectInstanceArn: CONNECT_ARN, streamsKmsKeyArn: key('us-east-1') };
  t.deepEqual(linesFor(streams), [
    "streamsKmsKeyArn is in us-east-1, but Connect's streams are in eu-west-2: use the key there",
  ]);
  t.deepEqual(linesFor({ ...streams, streamsKmsKeyArn: key('eu-west-2') }), []);
  const secret = {
    deepgramKeySecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:deepgram-AbCdEf',
    deepgramKeySecretKmsKeyArn: key('eu-west-2'),
  };
  t.deepEqual(linesFor(secret), [
    'deepgramKeySecretKmsKeyArn is in eu-west-2, but the secret is in us-east-1: use the key that encrypts it there',
  ]);
  t.deepEqual(linesFor({ ...secret, deepgramKeySecretKmsKeyArn: key('us-east-1') }), []);
});

test('the small profile has other defaults, which single settings override', (t) => {
  t.like(readSettings({ profile: 'small' }), {
    instanceTypes: ['t4g.small'],
    minInstances: 1,
    sessionsPerInstance: 50,
  });
  const chosen = { profile: 'small', sessionsPerInstance: '80' };
  t.like(readSettings(chosen), { minInstances: 1, sessionsPerInstance: 80 });
  t.deepEqual(chosenSettings(readSettings(chosen)), chosen);
});

test('one file may have the settings of several regions, beside those that they share', (t) => {
  const file = { minInstances: 3, regions: { 'eu-west-2': { vpcId: 'a' }, 'us-east-1': { minInstances: 2 } } };
  t.deepEqual(withRegion(file, 'eu-west-2'), { minInstances: 3, vpcId: 'a' });
  t.deepEqual(withRegion(file, 'us-east-1'), { minInstances: 2 });
  t.deepEqual(withRegion(file, undefined), { minInstances: 3 }, 'synthesis without a region');
  t.deepEqual(withRegion({ minInstances: 3 }, 'eu-west-2'), { minInstances: 3 });
  const error = t.throws(() => withRegion(file, 'eu-west-1'), { instanceOf: SettingsError });
  t.regex(error?.message ?? '', /no settings for eu-west-1, only for eu-west-2, us-east-1/);
  t.throws(() => withRegion({ regions: 'eu-west-2' }, 'eu-west-2'), { instanceOf: SettingsError });
  t.throws(() => withRegion({ regions: { 'eu-west-2': 5 } }, 'eu-west-2'), {
    message: 'regions must have an object of settings for eu-west-2',
  });
});

test('all faults are reported at once, a line each', (t) => {
  const lines = linesFor({ amiId: 'x', logLevel: 'y', no_such: 1 });
  t.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    ['no_such', 'amiId', 'logLevel'],
  );
});

for (const [name, meant] of [
  ['connect-instance-arn', 'connectInstanceArn'],
  ['CONNECTINSTANCEARN', 'connectInstanceArn'],
  ['Alarm_Email', 'alarmEmail'],
  ['min-instances', 'minInstances'],
  ['amiID', 'amiId'],
]) {
  test(`${name} is recognized as ${meant}, written wrongly`, (t) => {
    t.deepEqual(linesFor({ [name as string]: 'x' }), [`${name} is not a setting: write ${meant}`]);
  });
}

test("CDK's own context is not mistaken for settings", (t) => {
  t.deepEqual(linesFor({ '@aws-cdk/core:flag': true, 'aws:cdk:bundling-stacks': [], 'cli-telemetry': false }), []);
});

test('every fault of daemonSettings is reported', (t) => {
  const lines = linesFor({ daemonSettings: { PORT: 80, REPLAY_MS: -1, MESSAGE_MS: 50 } });
  t.deepEqual(
    lines.map((line) => line.split(': ')[0]),
    ['daemonSettings sets PORT', 'daemonSettings sets REPLAY_MS', 'daemonSettings sets MESSAGE_MS'],
  );
});

test('settings can be strings, as on the command line, or JSON values, as in cdk.json', (t) => {
  const given = { minInstances: 3, privateLink: true, instanceTypes: ['c7g.large', 'c6g.large'], vpcId: '' };
  const texts = { minInstances: '3', privateLink: 'on', instanceTypes: 'c7g.large, c6g.large' };
  t.deepEqual(readSettings(given), readSettings(texts));
});
