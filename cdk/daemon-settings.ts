import { z } from 'zod';
import { ConfigError, readConfig } from '../daemon/config.ts';
import { SETTING_NAMES, type SettingName } from '../daemon/contract/settings.ts';
import { INSTANCE_PORT } from './ports.ts';

/** The daemon's settings. None is a secret: every process on the instance can read user data. */
export type DaemonSettings = Readonly<Record<string, string>>;

const SECRET = 'a secret would be readable in user data; deepgramKeySecretArn names where it is stored';
const TRIGGER_SECRET = 'the stack generates this secret';
const STATE_KEY = TRIGGER_SECRET;
const REGION = "the stack sets it to its own region, which is that of Connect's streams";
const IMAGE = "the image's systemd unit sets it";

/** Settings of the results relay that the stack sets or keeps off (results.ts). */
type ResultsSetting =
  | 'STATE_KEY'
  | 'STATE_KEY_SECRET_ARN'
  | `RESULTS_${'WEBHOOK' | 'STREAM' | 'SECRET' | 'SECRET_ARN' | 'DEAD_LETTERS' | 'ALLOW_LOCAL'}`;

/** Settings that are not passed on, and why. */
export const REFUSED: Readonly<Partial<Record<SettingName | ResultsSetting, string>>> = {
  DEEPGRAM_API_KEY: SECRET,
  DEEPGRAM_API_KEY_SECRET_ARN: 'the stack sets it, to deepgramKeySecretArn if that is set',
  TRIGGER_SECRET,
  TRIGGER_SECRET_ARN: TRIGGER_SECRET,
  APP_REGION: REGION,
  AWS_REGION: REGION,
  DEEPGRAM_API: 'set deepgramApi instead',
  PORT: `the load balancer uses ${INSTANCE_PORT}`,
  MAX_SESSIONS: 'set sessionsPerInstance instead',
  HEALTH_LAG_MS: "the stack derives it from the load balancer's health check",
  DRAIN_DEADLINE_MS: 'set drainDeadlineMinutes instead',
  LOG_LEVEL: 'set logLevel instead',
  HTTPS_PROXY: 'set httpsProxy instead',
  NO_PROXY: 'set noProxy instead',
  METRICS_STACK: 'the stack sets it to stackName',
  STATE_KEY,
  STATE_KEY_SECRET_ARN: STATE_KEY,
  RESULTS_WEBHOOK: 'set webhook or receiver instead',
  RESULTS_STREAM: 'set transcriptStream instead',
  RESULTS_SECRET: 'a secret would be readable in user data; webhookSecretArn names where it is stored',
  RESULTS_SECRET_ARN: 'set webhookSecretArn instead',
  RESULTS_DEAD_LETTERS: 'the stack makes a bucket for them',
  RESULTS_ALLOW_LOCAL: 'it is for demo and tests',
  STATE_DIR: IMAGE,
  CONTROL_SOCKET: IMAGE,
};

/** The settings that are passed on to the daemon. */
export const PASSED_ON = SETTING_NAMES.filter((name) => !(name in REFUSED));

/** Without these, the daemon accepts no settings at all. */
const ALWAYS_SET = {
  DEEPGRAM_API_KEY: 'in-secrets-manager',
  AWS_REGION: 'us-east-1',
  RESULTS_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:any-AbCdEf',
};

/** The setting `daemonSettings`: a JSON object, whose values the daemon must accept. An empty value counts as unset. */
export const daemonSettings = z.string().transform((text, context): DaemonSettings => {
  const given = objectIn(text);
  if (!given) {
    context.addIssue({ code: 'custom', message: 'must be a JSON object, such as {"REPLAY_MS": 8000}' });
    return z.NEVER;
  }
  for (const message of faultsIn(given)) context.addIssue({ code: 'custom', message });
  const set = Object.entries(given).filter(([, value]) => value !== '');
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
});

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Does not repeat the values, which may contain a secret under a wrong name. */
function faultsIn(given: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const fault = whyRefused(name) ?? valueFault(name, value);
    return fault === undefined ? [] : [`sets ${name}: ${fault}`];
  });
}

function whyRefused(name: string): string | undefined {
  if (SETTING_NAMES.some((each) => each === name)) return REFUSED[name as SettingName];
  return `the daemon has no such setting; it may be one of ${PASSED_ON.join(', ')}`;
}

/** Why the daemon would refuse the value, or not work with it on an instance; undefined when it is fine. */
function valueFault(name: string, value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return 'must be text or a number';
  const text = String(value);
  if (/[\r\n]/.test(text)) return 'must be one line';
  if (text === '') return undefined;
  if (name === 'METRICS_PORT' && [0, INSTANCE_PORT].includes(Number(text))) {
    return `must be a port of its own; ${INSTANCE_PORT} is for start requests, and 0 would be a different one on each instance`;
  }
  const faults = daemonFaultsIn({ [name]: text });
  return faults.length === 0 ? undefined : faults.map((line) => line.replace(`${name} `, '')).join('; ');
}

/** Why the daemon would not start with these, a line each that begins with the name; secrets apart. */
export function daemonFaultsIn(settings: DaemonSettings): readonly string[] {
  try {
    readConfig({ ...ALWAYS_SET, ...settings });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.lines;
  }
}
