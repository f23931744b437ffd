import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { normalize } from 'node:path';
import { z } from 'zod';
import { DEEPGRAM_API } from './contract/deepgram-api.ts';
import { LOG_LEVELS, levelNamed } from './contract/log-levels.ts';
import { SETTING_NAMES, type SettingName } from './contract/settings.ts';
import { webhookRules } from './results/results.ts';
import { urlFault, webhookFault } from './results/webhook/webhook-url.ts';
import type { ProxySettings } from './runtime/egress.ts';
import { LinesError } from './runtime/lines-error.ts';
import { proxyVariables } from './runtime/proxy-environment.ts';
import { fixedSecret } from './secrets/secret.ts';
import { SECRET_NAMES, SECRETS, secretArnSetting, secretSettingsIn } from './secrets/secret-settings.ts';
import { keysIn } from './secrets/webhook-secrets.ts';
import {
  awsRegion,
  dataStreamArn,
  deepgramBase,
  metricsStack,
  noProxyList,
  proxyUrl,
  s3Place,
  secretArn,
  wholeNumber,
  wholeNumberOf,
} from './setting-formats.ts';
import type { HostSettings } from './threads/hosting-thread.ts';

/** sysexits.h EX_CONFIG. systemd shows its name; a restart would not help. */
export const EXIT_CONFIG = 78;

/** sockaddr_un's sun_path (unix(7)), without the NUL at its end. */
const MAX_SOCKET_PATH_BYTES = 107;

/** All errors are reported at once. */
const evenIfOthersAreInvalid = () => true;

const environment = z
  .object({
    PORT: wholeNumber('TCP port; 0 picks a free one', 0, 65_535, 8080),
    HOST: z.string().min(1, 'must be an address or a name').default('0.0.0.0'),
    DEEPGRAM_API: z.string().default(DEEPGRAM_API).transform(deepgramBase),
    DEEPGRAM_API_KEY: SECRETS.DEEPGRAM_API_KEY.optional(),
    DEEPGRAM_API_KEY_SECRET_ARN: secretArn().optional(),
    APP_REGION: awsRegion().optional(),
    AWS_REGION: awsRegion().optional(),
    LOG_LEVEL: z
      .string()
      .toLowerCase()
      .default('info')
      .transform(levelNamed)
      .pipe(z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`)),
    WORKERS: wholeNumber('worker threads', 0, 256, defaultWorkers()),
    MAX_SESSIONS: wholeNumber('sessions', 1, 100_000, 500),
    CALL_END_GRACE_MS: wholeNumber('ms', 1000, 600_000, 15_000),
    ROTATE_AFTER_MS: wholeNumber('ms', 1000, 2_700_000, 2_400_000),
    ALIGN_WAIT_MS: wholeNumber('ms', 0, 5000, 200),
    REPLAY_MS: wholeNumber('ms', 0, 30_000, 6000),
    DEEPGRAM_GIVE_UP_MS: wholeNumber('ms', 1000, 3_600_000, 300_000),
    HEALTH_LAG_MS: wholeNumber('ms', 0, 600_000, 20_000),
    DRAIN_DEADLINE_MS: wholeNumber('ms; 0 means none', 0, 172_800_000, 7_200_000),
    METRICS_PORT: wholeNumberOf('TCP port; 0 picks a free one', 0, 65_535).optional(),
    METRICS_STACK: metricsStack().optional(),
    HTTPS_PROXY: z.string().transform(proxyUrl).optional(),
    NO_PROXY: z.string().transform(noProxyList).optional(),
    STATE_DIR: z
      .string()
      .startsWith('/', 'must be an absolute path')
      // Creating a directory there never ends (nodejs/node, fs.mkdir with recursive).
      .refine((path) => !/^\/proc(\/|$)/.test(normalize(path)), 'must not be in /proc, which keeps no files')
      .optional(),
    TRIGGER_SECRET: SECRETS.TRIGGER_SECRET.optional(),
    TRIGGER_SECRET_ARN: secretArn().optional(),
    STATE_KEY: SECRETS.STATE_KEY.optional(),
    STATE_KEY_SECRET_ARN: secretArn().optional(),
    RESULTS_WEBHOOK: z.string().optional(),
    RESULTS_STREAM: dataStreamArn().optional(),
    RESULTS_SECRET: SECRETS.RESULTS_SECRET.optional(),
    RESULTS_SECRET_ARN: secretArn().optional(),
    RESULTS_GIVE_UP_MS: wholeNumber('ms', 1000, 1_209_600_000, 3_600_000),
    RESULTS_SPOOL_MIB: wholeNumber('MiB', 8, 1_048_576, 768),
    RESULTS_DEAD_LETTERS: z.string().transform(s3Place).optional(),
    RESULTS_ALLOW_LOCAL: z.enum(['on', 'off'], 'must be on or off').default('off'),
    CONTROL_SOCKET: z
      .string()
      .min(1)
      .refine(
        (path) => Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES,
        `must be at most ${MAX_SOCKET_PATH_BYTES} bytes: UNIX socket paths end there`,
      )
      .optional(),
  } satisfies Record<SettingName, z.ZodType>)
  .refine(({ DEEPGRAM_API_KEY, DEEPGRAM_API_KEY_SECRET_ARN }) => DEEPGRAM_API_KEY ?? DEEPGRAM_API_KEY_SECRET_ARN, {
    path: ['DEEPGRAM_API_KEY'],
    message: 'is missing: your Deepgram API key (or set DEEPGRAM_API_KEY_SECRET_ARN)',
    when: evenIfOthersAreInvalid,
  })
  .refine(({ APP_REGION, AWS_REGION }) => APP_REGION ?? AWS_REGION, {
    path: ['AWS_REGION'],
    message: 'is missing: the region of the Kinesis video streams (APP_REGION, the original name, works too)',
    when: evenIfOthersAreInvalid,
  })
  .refine(({ PORT, METRICS_PORT }) => PORT === 0 || PORT !== METRICS_PORT, {
    path: ['METRICS_PORT'],
    message: 'must be another port than PORT, or not set: then metrics are served on PORT',
    when: evenIfOthersAreInvalid,
  })
  .superRefine(
    (config, context) => {
      const issue = webhookIssue(config);
      if (issue) context.addIssue({ code: 'custom', ...issue });
    },
    { when: evenIfOthersAreInvalid },
  )
  .transform(({ APP_REGION, AWS_REGION, ...settings }) => ({
    ...settings,
    region: (APP_REGION ?? AWS_REGION) as string,
  }));

/** The daemon's settings, validated. */
export type Config = Readonly<z.infer<typeof environment>>;

/** Invalid settings. */
export class ConfigError extends LinesError {
  override readonly name = 'ConfigError';
}

/** True when only signed start requests are accepted. */
export function requiresSignedStarts({ TRIGGER_SECRET, TRIGGER_SECRET_ARN }: Config): boolean {
  return (TRIGGER_SECRET ?? TRIGGER_SECRET_ARN) !== undefined;
}

/**
 * Reads the settings from environment variables; an empty variable counts as unset. Throws ConfigError.
 *
 * A secret comes from its variable, from the file named by `<name>_FILE` (systemd credentials are files), or from Secrets
 * Manager; a proxy's URL, which may contain credentials, from its variable or file. The variable wins over the file.
 * Secrets Manager together with either is an error, because it would not be clear where a new value belongs.
 * @param readFile returns a file's text, or undefined when there is no such file
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string | undefined = readIfThere,
): Config {
  const given = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  // Quotes in an environment file keep spaces. A value of nothing else is a fault, not unset: think of TRIGGER_SECRET.
  const set = Object.fromEntries(given.map(([name, value]) => [name, value?.trim()]));
  Object.assign(set, proxyVariables(set, readFile));
  const conflicts: string[] = [];
  for (const name of SECRET_NAMES) {
    const path = set[`${name}_FILE`];
    const text = path && readFile(path)?.trim();
    if (text) set[name] ??= text;
    const arn = secretArnSetting(name);
    if (set[name] && set[arn]) conflicts.push(`${arn} is set together with ${name} or its file: remove one of them`);
  }
  const { data, error } = environment.safeParse(set);
  if (data && conflicts.length === 0) return Object.freeze(data);
  const errors = error?.issues.map(({ path, message }) => `${path.join('.')} ${message}${absentFile(set, path)}`) ?? [];
  throw new ConfigError([...errors, ...conflicts]);
}

/** Explains a secret that is missing although its file is named. */
function absentFile(set: Readonly<Record<string, string | undefined>>, [name]: readonly PropertyKey[]): string {
  const path = set[`${String(name)}_FILE`];
  return path && set[String(name)] === undefined
    ? `; ${String(name)}_FILE names ${path}, which is missing or empty`
    : '';
}

/** The proxy for HTTPS; undefined without one. */
export function proxyOf({ HTTPS_PROXY: url, NO_PROXY: noProxy = '' }: Config): ProxySettings | undefined {
  return url === undefined ? undefined : { url, noProxy };
}

/** The settings of a thread that hosts sessions. */
export function hostSettings(config: Config): HostSettings {
  return {
    region: config.region,
    deepgramBaseUrl: config.DEEPGRAM_API,
    stateDir: config.STATE_DIR,
    proxy: proxyOf(config),
    secrets: secretSettingsIn(config),
    results: {
      webhook: config.RESULTS_WEBHOOK,
      streamArn: config.RESULTS_STREAM,
      spoolBytes: config.RESULTS_SPOOL_MIB * 1024 * 1024,
      giveUpMs: config.RESULTS_GIVE_UP_MS,
      deadLetters: config.RESULTS_DEAD_LETTERS,
      allowsLocal: config.RESULTS_ALLOW_LOCAL === 'on',
    },
    session: {
      callEndGraceMs: config.CALL_END_GRACE_MS,
      rotateAfterMs: config.ROTATE_AFTER_MS,
      alignWaitMs: config.ALIGN_WAIT_MS,
      replayMs: config.REPLAY_MS,
      deepgramGiveUpMs: config.DEEPGRAM_GIVE_UP_MS,
    },
  };
}

/** Every setting as operators may see it; for secrets only whether they are set. */
export function maskedSettings(config: Config): Record<string, string | number> {
  const { region, RESULTS_DEAD_LETTERS: letters, ...settings } = config;
  const secrets = SECRET_NAMES.map((name) => {
    if (config[secretArnSetting(name)]) return [name, 'in Secrets Manager'] as const;
    return [name, config[name] === undefined ? undefined : 'set'] as const;
  });
  const HTTPS_PROXY = settings.HTTPS_PROXY?.replace(/\/\/.*@/, '//***@');
  const values = {
    ...settings,
    HTTPS_PROXY,
    AWS_REGION: region,
    // Path and query may contain a token.
    RESULTS_WEBHOOK: settings.RESULTS_WEBHOOK && (URL.parse(settings.RESULTS_WEBHOOK)?.origin ?? 'set'),
    RESULTS_DEAD_LETTERS: letters && `s3://${letters.bucket}/${letters.prefix}`,
    ...Object.fromEntries(secrets),
  };
  // APP_REGION is another name of AWS_REGION, which has its value.
  const names = SETTING_NAMES.filter((name) => name !== 'APP_REGION');
  return Object.fromEntries(names.map((name) => [name, values[name] ?? 'not set']));
}

/** One per vCPU. On a single vCPU a worker thread gains nothing. */
function defaultWorkers(): number {
  const vcpus = availableParallelism();
  return vcpus > 1 ? vcpus : 0;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError([`${path} cannot be read: ${(error as Error).message}`]);
  }
}

/**
 * What is wrong with RESULTS_WEBHOOK and its secret, as far as that is known: a secret in Secrets Manager is read later,
 * and an invalid one is an error of its own. Does not repeat the URL.
 */
function webhookIssue(config: {
  readonly RESULTS_WEBHOOK?: string | undefined;
  readonly RESULTS_SECRET?: string | undefined;
  readonly RESULTS_SECRET_ARN?: string | undefined;
  readonly RESULTS_ALLOW_LOCAL?: 'on' | 'off';
}): { readonly path: [SettingName]; readonly message: string } | undefined {
  const { RESULTS_WEBHOOK: url, RESULTS_SECRET: secret, RESULTS_SECRET_ARN: arn } = config;
  if (url === undefined) {
    const message = 'has no host: set RESULTS_WEBHOOK, or make RESULTS_SECRET a JSON object of host names to secrets';
    return secret && keysIn(secret)?.only ? { path: ['RESULTS_SECRET'], message } : undefined;
  }
  const allowsLocal = config.RESULTS_ALLOW_LOCAL === 'on';
  const rules = webhookRules({ webhook: url, allowsLocal }, secret === undefined ? undefined : fixedSecret(secret));
  const isSecretKnown = !arn && (secret === undefined || keysIn(secret) !== undefined);
  const message = isSecretKnown ? webhookFault(url, rules) : urlFault(url, allowsLocal);
  return message === undefined ? undefined : { path: ['RESULTS_WEBHOOK'], message };
}
