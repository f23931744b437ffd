import { execFileSync } from 'node:child_process';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { SETTING_NAMES, type Settings } from './settings.ts';

/** For one response from AWS; a deployment without one fails anyway. */
const TIMEOUT_MS = 20_000;

/** They apply to a single deployment: without them a stack loses nothing. */
const OF_ONE_DEPLOYMENT: ReadonlySet<string> = new Set<keyof Settings>(['amiId', 'desiredInstances', 'rollOut']);

/** The parameter in Parameter Store that keeps the settings of a deployed stack (next-steps.ts). */
export function settingsParameter(stackName: string): string {
  return `/integratord/settings/${stackName}`;
}

/** The settings of the deployed stack; `none` without one, `unknown` if they cannot be read. */
export type Deployed =
  | { readonly kind: 'settings'; readonly settings: Readonly<Record<string, unknown>> }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly why: string };

/** Runs the AWS command line with these variables beside the environment's, and returns its JSON. Throws an Error. */
export type Aws = (args: readonly string[], env?: Readonly<Record<string, string>>) => unknown;

interface Target {
  readonly stackName: string;
  readonly region: string;
  readonly account: string;
}

/**
 * Reads the settings of the deployed stack with the caller's own credentials, otherwise with the bootstrap's lookup role,
 * for callers who may only assume the bootstrap's roles.
 */
export function deployedSettings(target: Target, aws: Aws = runAws): Deployed {
  try {
    const parameter = readParameter(target, aws);
    if (isIn(target, parameter.ARN)) return settingsIn(parameter.Value);
  } catch (error) {
    if (isMissing(error) && isCallerIn(target, aws)) return { kind: 'none' };
  }
  // The credentials differ from those of `cdk deploy --profile`, or may not read the parameter.
  try {
    return settingsIn(readParameter(target, aws, lookupCredentials(target, aws)).Value);
  } catch (error) {
    return isMissing(error) ? { kind: 'none' } : { kind: 'unknown', why: firstLineOf(error) };
  }
}

/** The settings that the deployed stack would lose, one line each: set there, and not given here. */
export function lostSettings(
  deployed: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): string[] {
  return SETTING_NAMES.filter(
    (name) => deployed[name] !== undefined && !OF_ONE_DEPLOYMENT.has(name) && isNotGiven(given[name]),
  ).map(
    (name) =>
      `${name} is ${JSON.stringify(deployed[name])} in the deployed stack, and not set here: the stack would lose it. ` +
      `Set it in cdk/cdk.context.json (the output RestoreSettings writes that file), or return it to its default: -c ${name}=UNSET`,
  );
}

function isNotGiven(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

interface Parameter {
  readonly ARN: string;
  readonly Value: string;
}

function readParameter({ stackName, region }: Target, aws: Aws, env = {}): Parameter {
  const args = ['ssm', 'get-parameter', '--region', region, '--name', settingsParameter(stackName)];
  return (aws(args, env) as { Parameter: Parameter }).Parameter;
}

function settingsIn(value: string): Deployed {
  return { kind: 'settings', settings: JSON.parse(value) as Record<string, unknown> };
}

function isIn({ account }: Target, arn: string): boolean {
  return arn.split(':')[4] === account;
}

function isCallerIn({ account, region }: Target, aws: Aws): boolean {
  const { Account } = aws(['sts', 'get-caller-identity', '--region', region]) as { Account: string };
  return Account === account;
}

/** Credentials of the role that CDK's bootstrap creates for lookups. */
function lookupCredentials({ account, region }: Target, aws: Aws): Record<string, string> {
  const { partition = 'aws' } = RegionInfo.get(region);
  const role = `arn:${partition}:iam::${account}:role/cdk-hnb659fds-lookup-role-${account}-${region}`;
  const args = ['--region', region, '--role-arn', role, '--role-session-name', 'integratord-settings'];
  const { Credentials } = aws(['sts', 'assume-role', ...args]) as {
    Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string };
  };
  return {
    AWS_ACCESS_KEY_ID: Credentials.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: Credentials.SecretAccessKey,
    AWS_SESSION_TOKEN: Credentials.SessionToken,
  };
}

function isMissing(error: unknown): boolean {
  return String(error).includes('ParameterNotFound');
}

function firstLineOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error))
    .split('\n')
    .filter((each) => each.trim());
  return line;
}

function runAws(args: readonly string[], variables: Readonly<Record<string, string>> = {}): unknown {
  const env: NodeJS.ProcessEnv = { ...process.env, AWS_PAGER: '', AWS_MAX_ATTEMPTS: '2', ...variables };
  // A profile would win over the credentials.
  if ('AWS_ACCESS_KEY_ID' in variables) delete env['AWS_PROFILE'];
  try {
    return JSON.parse(
      execFileSync('aws', [...args, '--output', 'json'], {
        env,
        encoding: 'utf8',
        timeout: TIMEOUT_MS,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    if (code === 'ENOENT') throw new Error('the command `aws` is missing', { cause: error });
    throw new Error(stderr?.trim() || String(error), { cause: error });
  }
}
