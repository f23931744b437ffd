import { type InstanceArchitecture, InstanceClass, InstanceSize, InstanceType } from 'aws-cdk-lib/aws-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { DEEPGRAM_API } from '../daemon/contract/deepgram-api.ts';
import { LOG_LEVELS } from '../daemon/contract/log-levels.ts';
import { LinesError } from '../daemon/runtime/lines-error.ts';
import { NoProxy } from '../daemon/runtime/no-proxy.ts';
import { daemonSettings } from './daemon-settings.ts';
import { misplacedIn, type Place, unreachableIn } from './place.ts';
import { resultsConflictsIn, streamSetting, webhookUrl } from './results-settings.ts';
import { ROLL_OUTS } from './roll-out.ts';

/** Auto Scaling waits at most 48 h for an instance; the last hour is margin for ending the remaining sessions. */
const LONGEST_DRAIN_MINUTES = 47 * 60;

export const CONNECT_ARN = /^arn:aws[a-z-]*:connect:[a-z0-9-]+:\d{12}:instance\/[A-Za-z0-9-]+$/;
export const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/;

/** CDK's own pattern: family, generation and attributes, then the size. */
const INSTANCE_TYPE = /^[a-z]+\d{1,2}[a-z-]*\.[a-z0-9-]+$/;

const FAMILIES: ReadonlySet<string> = new Set(Object.values(InstanceClass));
const SIZES: ReadonlySet<string> = new Set(Object.values(InstanceSize));

/** What of a URL's host is special to no shell, no systemd and no TOML. */
const PROXY_HOST = /^[A-Za-z0-9.:[\]-]+$/;

const wholeNumber = (unit: string, min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number (${unit})`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min} (${unit})`).max(max, `must be at most ${max} (${unit})`));

const arn = (of: string, pattern: RegExp, example: string) =>
  z.string().regex(pattern, `must be the ARN of ${of}, such as ${example}`);

const list = (what: string, item: RegExp, example: string) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(
      z
        .array(z.string().regex(item, `must be ${what}, separated by commas, such as ${example}`))
        .refine((items) => new Set(items).size === items.length, 'must not contain duplicates'),
    );

const kmsKeyArn = () =>
  arn(
    'a KMS key',
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
    'arn:aws:kms:us-east-1:123456789012:key/1234abcd-…',
  );

/** Settings whose loss would take something from a running stack have a value that says so. */
const NO_CONNECT = 'none';
export const NEW_SECRET = 'new';

const secretArn = (name: string) =>
  arn('a secret in Secrets Manager', SECRET_ARN, `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`);

const onOrOff = () => z.enum(['on', 'off'], 'must be on or off').default('off');

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
  if (typeof own !== 'object' || own === null) {
    throw new SettingsError([`regions has no settings for ${region}, only for ${names.join(', ')}: set AWS_REGION`]);
  }
  return { ...shared, ...own };
}

/** Reads the settings from CDK's context; an empty value counts as not set, except for amiId. Throws SettingsError. */
export function readSettings(context: Readonly<Record<string, unknown>>, place: Place = {}): Settings {
  const unknown = Object.keys(context).filter(isMistyped);
  const given = SETTING_NAMES.flatMap((name) => {
    const text = textOf(context[name]);
    return text === '' ? [] : [[name, text] as const];
  });
  const ofProfile = PROFILES[textOf(context['profile'])] ?? {};
  const { data, error } = settings.safeParse({ ...ofProfile, ...Object.fromEntries(given) });
  const lines = [
    ...unknown.map((name) => `${name} is not a setting; the settings are ${SETTING_NAMES.join(', ')}`),
    ...(error?.issues ?? []).map(({ path, message }) => `${String(path[0])} ${message}`),
    ...(context['amiId'] === '' ? [EMPTY_IMAGE] : []),
    ...(data
      ? [
          ...conflictsIn(data),
          ...resultsConflictsIn(data),
          ...omissionsIn(data),
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
      const isNone = name === 'connectInstanceArn' && chosen[name]?.length === 0;
      return [name, isNone ? NO_CONNECT : [chosen[name]].flat().join(',')];
    }),
  );
}

/** By the families and sizes that CDK knows; not every family has every size. True for what its pattern reports. */
function isKnownType(instanceType: string): boolean {
  const [family = '', size = ''] = instanceType.split('.');
  return !INSTANCE_TYPE.test(instanceType) || (FAMILIES.has(family) && SIZES.has(size));
}

/** Undefined for an invalid type, which its pattern reports. */
function architectureOf(instanceType: string): InstanceArchitecture | undefined {
  return INSTANCE_TYPE.test(instanceType) ? new InstanceType(instanceType).architecture : undefined;
}

/** The names in CDK's own context contain `@`, `:`, `-` or `/`; any other name was intended as one of ours. */
function isMistyped(name: string): boolean {
  return /^\w+$/.test(name) && !SETTING_NAMES.includes(name as keyof Settings);
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

/**
 * What a deployment must say, because a running stack would lose it otherwise: CDK's command line does not tell the app
 * what is deployed. Without an image the template asks for the same settings as parameters, and a deployment without them
 * is refused by name too.
 */
function omissionsIn({ amiId, connectInstanceArn, deepgramKeySecretArn }: Settings): string[] {
  if (amiId === undefined) return [];
  return [
    ...(connectInstanceArn === undefined
      ? [`connectInstanceArn is not set: a stack that has one would lose it. Set it, or \`${NO_CONNECT}\`. ${RESTORE}`]
      : []),
    ...(deepgramKeySecretArn === undefined
      ? [
          `deepgramKeySecretArn is not set: a stack that has one would lose it. Set it, or \`${NEW_SECRET}\`. ${RESTORE}`,
        ]
      : []),
  ];
}

const RESTORE =
  'Settings belong in cdk/cdk.context.json; the output RestoreSettings of a deployed stack writes that file';

/** Conflicts between settings that are valid by themselves. */
function conflictsIn(given: Settings): string[] {
  const { vpcId, subnetIds, minInstances, maxInstances, desiredInstances } = given;
  const rules: [boolean, string][] = [
    [
      (vpcId === undefined) !== (subnetIds === undefined),
      'vpcId and subnetIds belong together: set both for an existing VPC, neither for a new one',
    ],
    [minInstances > maxInstances, `minInstances is ${minInstances}, above maxInstances (${maxInstances})`],
    [
      desiredInstances !== undefined && (desiredInstances < minInstances || desiredInstances > maxInstances),
      `desiredInstances is ${desiredInstances}, not between minInstances and maxInstances (${minInstances} to ${maxInstances})`,
    ],
    [
      given.natGateways === 0 &&
        vpcId === undefined &&
        given.httpsProxy === undefined &&
        given.profile !== 'small' &&
        (given.privateLink === 'off' || given.deepgramApi === DEEPGRAM_API),
      'natGateways is 0: without a route to the internet, privateLink must be on, and deepgramApi a reachable Deepgram of your own; or set httpsProxy',
    ],
    [
      given.natGateways === 0 && vpcId === undefined && given.httpsProxy !== undefined && given.privateLink === 'off',
      'natGateways is 0: the trigger does not use httpsProxy, so it needs privateLink=on to reach Secrets Manager',
    ],
    [given.noProxy !== undefined && given.httpsProxy === undefined, 'noProxy is about httpsProxy: set that too'],
    [
      given.deepgramKeySecretKmsKeyArn !== undefined && !given.deepgramKeySecretArn?.startsWith('arn:'),
      'deepgramKeySecretKmsKeyArn is the key of the secret deepgramKeySecretArn: set that too',
    ],
    [
      given.profile === 'small' && (vpcId !== undefined || given.natGateways > 0 || given.privateLink === 'on'),
      'profile is small, which has a VPC of its own without NAT gateways: leave out vpcId, natGateways and privateLink',
    ],
    [
      given.deepgramKeySecretArn === NEW_SECRET && Math.max(minInstances, desiredInstances ?? 0) > 0,
      'deepgramKeySecretArn is `new`, an empty secret, and instances do not start without a key: set minInstances=0 and ' +
        'no desiredInstances, deploy, fill the secret (output FillDeepgramKey), and deploy again with its ARN',
    ],
  ];
  return rules.flatMap(([isBroken, line]) => (isBroken ? [line] : []));
}

/** As the daemon accepts it. Errors do not repeat the value, which may contain credentials. */
function deepgramUrl(value: string, context: z.RefinementCtx): string {
  const url = URL.parse(value);
  if (!url || !/^(ws|http)s?:$/.test(url.protocol)) {
    context.addIssue({ code: 'custom', message: 'must be a ws, wss, http or https URL' });
  } else if (url.username || url.password || url.search || url.hash) {
    context.addIssue({ code: 'custom', message: 'must not contain credentials, a query or a fragment' });
  }
  return url?.href ?? z.NEVER;
}

/** Errors do not repeat the value, which may contain credentials. */
function proxyUrl(value: string, context: z.RefinementCtx): string {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol) || !PROXY_HOST.test(url.host)) {
    const message = 'must be the http or https URL of a proxy, such as http://proxy.example.com:3128';
    context.addIssue({ code: 'custom', message });
  } else if (url.username || url.password) {
    const message =
      'must not contain credentials: everybody who can read the template could read them. Let the proxy accept the subnets, or set HTTPS_PROXY_FILE on instances of your own';
    context.addIssue({ code: 'custom', message });
  } else if (url.pathname !== '/' || url.search || url.hash) {
    context.addIssue({ code: 'custom', message: 'must not contain a path, a query or a fragment' });
  }
  return url?.href.replace(/\/$/, '') ?? z.NEVER;
}

function hostList(value: string, context: z.RefinementCtx): string {
  const list = value.replace(/\s+/g, '');
  try {
    new NoProxy(list);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
  return list;
}
