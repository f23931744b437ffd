const CONNECT = 'arn:aws:connect:us-east-1:123456789012:instance';
const KEY_ARN = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

/** Settings that together cover every branch of every construct. */
export const VARIANTS: Readonly<Record<string, Record<string, unknown>>> = {
  'all defaults': {},
  'nothing but parameters': { amiId: undefined, connectInstanceArn: undefined, deepgramKeySecretArn: undefined },
  'an empty secret, and no Connect instance': {
    deepgramKeySecretArn: 'new',
    minInstances: 0,
    connectInstanceArn: 'none',
  },
  'a small stack': { profile: 'small' },
  'a closed VPC, Spot, and an alarm address': {
    natGateways: 0,
    availabilityZones: 'us-east-1b,us-east-1d',
    privateLink: 'on',
    deepgramApi: 'ws://deepgram.internal:8080',
    spotPercent: 50,
    alarmEmail: 'on-call@example.org',
    streamPrefix: 'acme-connect-',
    daemonSettings: { REPLAY_MS: 8000, METRICS_PORT: 9464 },
    transcriptStream: 'on',
    webhook: 'https://results.internal:8443/calls/{contact-id}',
  },
  'a closed VPC with a proxy': {
    natGateways: 0,
    privateLink: 'on',
    httpsProxy: 'http://proxy.example.com:3128',
    noProxy: '.amazonaws.com, 10.0.0.0/8',
  },
  'everything exists already': {
    vpcId: 'vpc-0123456789abcdef0',
    subnetIds: 'subnet-0123456789abcdef0,subnet-0fedcba9876543210',
    privateLink: 'on',
    streamsKmsKeyArn: KEY_ARN,
    deepgramKeySecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:deepgram-AbCdEf',
    deepgramKeySecretKmsKeyArn: KEY_ARN,
    transcriptStream: 'arn:aws:kinesis:us-east-1:123456789012:stream/transcripts',
    transcriptStreamKmsKeyArn: KEY_ARN,
    webhook: 'https://results.example.org/',
    webhookSecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:webhook-AbCdEf',
    webhookSecretKmsKeyArn: KEY_ARN,
  },
  'the sample receiver': { receiver: 'on', transcriptStream: 'on' },
  'a small stack with all that can be switched on, for two Connect instances': {
    profile: 'small',
    receiver: 'on',
    transcriptStream: 'on',
    alarmEmail: 'on-call@example.org',
    daemonSettings: { REPLAY_MS: 8000, METRICS_PORT: 9464 },
    spotPercent: 50,
    httpsProxy: 'http://proxy.example.com:3128',
    connectInstanceArn: ['1', '2'].map((digit) => `${CONNECT}/${digit}2345678-1234-1234-1234-123456789012`),
  },
};
