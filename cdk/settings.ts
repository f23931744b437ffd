import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { DEEPGRAM_API } from '../daemon/contract/deepgram-api.ts';
import { LOG_LEVELS } from '../daemon/contract/log-levels.ts';
import { LinesError } from '../daemon/runtime/lines-error.ts';
import { daemonSettings } from './daemon-settings.ts';
import { architectureOf, INSTANCE_TYPE, isKnownType } from './instance-types.ts';
import { misplacedIn, type Place, unreachableIn } from './place.ts';
import { resultsConflictsIn, streamSetting, webhookUrl } from './results-settings.ts';
import { ROLL_OUTS } from './roll-out.ts';
import { conflictsIn, NEW_SECRET, NO_CONNECT, omissionsIn, refusedByDaemon } from './setting-conflicts.ts';
import {
  arn,
  CONNECT_ARN,
  deepgramUrl,
  hostList,
  kmsKeyArn,
  list,
  onOrOff,
  proxyUrl,
  SECRET_ARN,
  secretArn,
  wholeNumber,
  ZONE,
} from './setting-rules.ts';

/** Auto Scaling waits at most 48 h for an instance; the last hour is margin for ending the remaining sessions. */
const LONGEST_DRAIN_MINUTES = 47 * 60;

/**
 * The function's policy has a statement of about 450 bytes for each, and Lambda accepts 20 KB. Connect may add a second one:
 * associating a function requires lambda:AddPermission (the schema of AWS::Connect::IntegrationAssociation).
 */
const MOST_CONNECT = 20;

/** Returns a setting to its default explicitly; omitting one that the deployed stack has is refused. */
const UNSET = 'UNSET';

/** The settings of the stack, in the order of README.md's table; `deploy -c NAME=VALUE` sets one. */
const settings = z.object({
  amiId: z
    .string()
    .regex(
      /^ami-[0-9a-f]{8,17}$/,
      'must be the id of an image, such as ami-0123456789abcdef0, or `packer` for the last one in packer/manifest.json',
    )
    .optional(),
  profile: z.enum(['standard', 'small'], 'must be standard or small').default('standard'),
  stackName: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, 'must be letters, digits and hyphens, and begin with a letter')
    .default('integratord'),
  connectInstanceArn: list(
    'ARNs of Amazon Connect instances, or `none`',
    new RegExp(`${CONNECT_ARN.source}|^${NO_CONNECT}$`),
    'arn:aws:connect:us-east-1:123456789012:instance/1234abcd-…',
  )
    .refine((arns) => arns.length === 1 || !arns.includes(NO_CONNECT), 'must be `none` or ARNs, not both')
    .refine(
      (arns) => arns.length <= MOST_CONNECT,
      `must be at most ${MOST_CONNECT} ARNs: deploy another stack for more`,
    )
    .transform((arns) => arns.filter((each) => each !== NO_CONNECT))
    .optional(),
  streamPrefix: z
    .string()
    .regex(/^[\w.-]+$/, 'must be letters, digits, underscores, full stops and hyphens')
    .optional(),
  streamsKmsKeyArn: kmsKeyArn().optional(),
  deepgramApi: z.string().default(DEEPGRAM_API).transform(deepgramUrl),
  deepgramKeySecretArn: arn(
    'a secret in Secrets Manager, or `new`',
    new RegExp(`${SECRET_ARN.source}|^${NEW_SECRET}$`),
    'arn:aws:secretsmanager:us-east-1:123456789012:secret:deepgram-AbCdEf',
  ).optional(),
  deepgramKeySecretKmsKeyArn: kmsKeyArn().optional(),
  transcriptStream: streamSetting.default('off'),
  transcriptStreamKmsKeyArn: kmsKeyArn().optional(),
  webhook: webhookUrl.optional(),
  webhookSecretArn: secretArn('webhook').optional(),
  webhookSecretKmsKeyArn: kmsKeyArn().optional(),
  receiver: onOrOff(),
  transcriptRetentionDays: wholeNumber('days', 1, 3650).default(30),
  vpcId: z
    .string()
    .regex(/^vpc-[0-9a-f]{8,17}$/, 'must be the id of a VPC, such as vpc-0123456789abcdef0')
    .optional(),
  subnetIds: list('ids of subnets', /^subnet-[0-9a-f]{8,17}$/, 'subnet-0123456789abcdef0,subnet-0fedcba9876543210')
    .refine((ids) => ids.length >= 2, 'must be at least two subnets in different zones, as the load balancer requires')
    .optional(),
  availabilityZones: list('names of zones', ZONE, 'us-east-1a,us-east-1b')
    .refine((zones) => zones.length === 2, 'must be two zones')
    .optional(),
  natGateways: wholeNumber('NAT gateways, one per zone', 0, 2).default(2),
  privateLink: onOrOff(),
  httpsProxy: z.string().transform(proxyUrl).optional(),
  noProxy: z.string().transform(hostList).optional(),
  instanceTypes: list('instance types', INSTANCE_TYPE, 'c7g.large,c6g.large')
    .refine((types) => types.every(isKnownType), 'must be instance types that exist, such as c7g.large')
    .refine((types) => new Set(types.map(architectureOf)).size === 1, 'must all have the architecture of the image')
    .default(['c7g.large']),
  minInstances: wholeNumber('instances', 0, 1000).default(2),
  maxInstances: wholeNumber('instances', 1, 1000).default(10),
  desiredInstances: wholeNumber('instances', 0, 1000).optional(),
  sessionsPerInstance: wholeNumber('sessions', 1, 100_000).default(500),
  targetCapacityPercent: wholeNumber('percent', 10, 90).default(60),
  spotPercent: wholeNumber('percent', 0, 100).default(0),
  onDemandBase: wholeNumber('instances', 0, 1000).default(1),
  drainDeadlineMinutes: wholeNumber('minutes', 1, LONGEST_DRAIN_MINUTES).default(120),
  daemonSettings: daemonSettings.optional(),
  rollOut: z.enum(ROLL_OUTS, `must be one of ${ROLL_OUTS.join(', ')}`).default('guarded'),
  logLevel: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  logRetentionDays: wholeNumber('days', 1, 3653)
    .refine((days) => RetentionDays[days] !== undefined, 'must be a retention that CloudWatch Logs supports')
    .default(30),
  alarmEmail: z.email('must be an e-mail address').optional(),
  noStartsCalls: wholeNumber('calls at once; 0 means no such alarm', 0, 100_000).default(5),
});

/** Other defaults, for trying it and for a small center (README.md, "A small stack"). */
const PROFILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  small: {
    natGateways: '0',
    instanceTypes: 't4g.small',
    minInstances: '1',
    maxInstances: '2',
    sessionsPerInstance: '50',
  },
};

/** The settings of the stack, read and checked once. */
export type Settings = Readonly<z.infer<typeof settings>>;

export const SETTING_NAMES = Object.keys(settings.shape) as (keyof Settings)[];

/** Invalid settings, a line each that begins with the setting's name. */
export class SettingsError extends LinesError {
  override readonly name = 'SettingsError';
}

/** The settings that `regions` in the context has for a region, beside those that all regions share. */
export function withRegion(
  context: Readonly<Record<string, unknown>>,
  region: string | undefined,
): Readonly<Record<string, unknown>> {
  const { regions = {}, ...shared } = context;
  if (typeof regions !== 'object' || regions === null || Array.isArray(regions)) {
    throw new SettingsError(['regions must be an object: settings by the name of their region']);
  }
  const names = Object.keys(regions);
  if (names.length === 0 || region === undefined) return shared;
  const own = (regions as Record<string, unknown>)[region];
  if (own !== undefined && (typeof own !== 'object' || own === null || Array.isArray(own))) {
    throw new SettingsError([`regions must have an object of settings for ${region}`]);
  }
  if (own === undefined) {
    throw new SettingsError([`regions has no settings for ${region}, only for ${names.join(', ')}: set AWS_REGION`]);
  }
  return { ...shared, ...own };
}

/**
 * Reads the settings from CDK's context; an empty value counts as not set, except for amiId, and so does `UNSET`. Throws
 * SettingsError.
 */
export function readSettings(context: Readonly<Record<string, unknown>>, place: Place = {}): Settings {
  const unknown = Object.keys(context).filter(isMistyped);
  const given = SETTING_NAMES.flatMap((name) => {
    const text = textOf(context[name]);
    return text === '' || text === UNSET ? [] : [[name, text] as const];
  });
  const ofProfile = PROFILES[textOf(context['profile'])] ?? {};
  const { data, error } = settings.safeParse({ ...ofProfile, ...Object.fromEntries(given) });
  const lines = [
    ...unknown.map(unknownLine),
    ...(error?.issues ?? []).map(({ path, message }) => `${String(path[0])} ${message}`),
    ...(context['amiId'] === '' ? [EMPTY_IMAGE] : []),
    ...(data
      ? [
          ...conflictsIn(data),
          ...resultsConflictsIn(data),
          ...omissionsIn(data),
          ...refusedByDaemon(data),
          ...misplacedIn(data, place),
          ...unreachableIn(data, place),
        ]
      : []),
  ];
  if (lines.length > 0 || !data) throw new SettingsError([...new Set(lines)]);
  return Object.freeze(data);
}

/** The settings that differ from their defaults, for cdk.context.json; not the image, which belongs to a deployment. */
export function chosenSettings(chosen: Settings): Record<string, unknown> {
  const byDefault: Settings = { ...readSettings({ profile: chosen.profile }), profile: 'standard' };
  const names = SETTING_NAMES.filter(
    (name) => name !== 'amiId' && JSON.stringify(chosen[name]) !== JSON.stringify(byDefault[name]),
  );
  return Object.fromEntries(
    names.map((name) => {
      if (name === 'daemonSettings') return [name, chosen[name]];
      const isNone = name === 'connectInstanceArn' && chosen[name]?.length === 0;
      return [name, isNone ? NO_CONNECT : [chosen[name]].flat().join(',')];
    }),
  );
}

/**
 * The names in CDK's own context contain `@`, `:`, `-` or `/`; any other name was intended as one of ours, and so was one
 * that differs from ours only in case and hyphens.
 */
function isMistyped(name: string): boolean {
  if (SETTING_NAMES.some((each) => each === name)) return false;
  return /^\w+$/.test(name) || SETTING_NAMES.some((each) => plain(each) === plain(name));
}

function unknownLine(name: string): string {
  const meant = SETTING_NAMES.find((each) => plain(each) === plain(name));
  if (meant !== undefined) return `${name} is not a setting: write ${meant}`;
  return `${name} is not a setting; the settings are ${SETTING_NAMES.join(', ')}`;
}

function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
}

/** Values are strings on the command line; cdk.json may have any JSON: numbers, booleans, arrays and objects. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'object' && !Array.isArray(value)) return JSON.stringify(value);
  return String(value).trim();
}

/** As from `-c amiId=$(…)` when the command in the brackets failed. */
const EMPTY_IMAGE =
  'amiId is empty: set the id of an image, or leave it out for the newest one (the SSM parameter /integratord/ami)';
