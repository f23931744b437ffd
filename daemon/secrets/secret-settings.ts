import { z } from 'zod';
import { webhookSecret, webhookSecretsIn } from './webhook-secrets.ts';

/** Settings whose value may also come from a file or from Secrets Manager (daemon/README.md, decision 15). */
export const SECRETS = {
  DEEPGRAM_API_KEY: z.string().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces'),
  TRIGGER_SECRET: z.string().min(8, 'must have at least 8 characters'),
  STATE_KEY: z.string().min(16, 'must have at least 16 characters'),
  RESULTS_SECRET: webhookSecret,
};
export type SecretName = keyof typeof SECRETS;
export const SECRET_NAMES = Object.keys(SECRETS) as SecretName[];

const SECRET_ARN_SETTINGS = {
  DEEPGRAM_API_KEY: 'DEEPGRAM_API_KEY_SECRET_ARN',
  TRIGGER_SECRET: 'TRIGGER_SECRET_ARN',
  STATE_KEY: 'STATE_KEY_SECRET_ARN',
  RESULTS_SECRET: 'RESULTS_SECRET_ARN',
} as const satisfies Record<SecretName, string>;

/** Each secret's value, or the ARN of where it is stored. */
export type SecretSettings = {
  readonly [Name in SecretName | (typeof SECRET_ARN_SETTINGS)[SecretName]]?: string | undefined;
};

/** The setting that holds the secret's ARN. */
export function secretArnSetting<Name extends SecretName>(name: Name): (typeof SECRET_ARN_SETTINGS)[Name] {
  return SECRET_ARN_SETTINGS[name];
}

/** Only the settings of secrets: what a worker thread needs to open them. */
export function secretSettingsIn(settings: SecretSettings): SecretSettings {
  const names = SECRET_NAMES.flatMap((name) => [name, secretArnSetting(name)]);
  return Object.fromEntries(names.map((name) => [name, settings[name]]));
}

/** What is wrong with a secret's value, without repeating it; undefined when nothing is. */
export function secretFault(name: SecretName, value: string): string | undefined {
  return SECRETS[name].safeParse(value).error?.issues[0]?.message;
}

/** What no log may contain of a secret's value. */
export function secretsWithin(name: SecretName, value: string): string[] {
  return name === 'RESULTS_SECRET' ? webhookSecretsIn(value) : [value];
}

/** Secrets in the settings and in the AWS SDK's variables, which no log may contain. */
export function secretValues(
  settings: SecretSettings,
  env: Readonly<Record<string, string | undefined>>,
): (string | undefined)[] {
  const own = SECRET_NAMES.flatMap((name) => {
    const value = settings[name];
    return value === undefined ? [] : secretsWithin(name, value);
  });
  return [...own, env['AWS_SECRET_ACCESS_KEY'], env['AWS_SESSION_TOKEN']];
}
