import type { RootLog } from '../log/log.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Egress } from '../runtime/egress.ts';
import { LinesError } from '../runtime/lines-error.ts';
import { ManagedSecret, PREVIOUS_VALID_MS, type ReadSecret } from './managed-secret.ts';
import { fixedSecret, type Secret } from './secret.ts';
import { SecretRefused } from './secret-refused.ts';
import {
  SECRET_NAMES,
  type SecretName,
  type SecretSettings,
  secretArnSetting,
  secretFault,
  secretsWithin,
} from './secret-settings.ts';
import { readSecret } from './secrets-manager.ts';

/** The daemon's secrets. */
export interface Secrets {
  readonly deepgramKey: Secret;
  /** Undefined when unsigned starts are accepted. */
  readonly triggerSecret: Secret | undefined;
  /** Seals stored data; undefined when the Deepgram key does. */
  readonly stateKey: Secret | undefined;
  /** Signs results that are posted to webhooks (webhook-secrets.ts); undefined when none are. */
  readonly resultsSecret: Secret | undefined;
  /** The secrets that are in Secrets Manager. */
  readonly managed: readonly ManagedSecret[];
}

const DAY_MS: Millis = 24 * 3_600_000;
/** How long the value before is accepted: dead letters wait for 14 days, a consumer may take a day to change a secret. */
const VALID_MS: Readonly<Record<SecretName, Millis>> = {
  DEEPGRAM_API_KEY: PREVIOUS_VALID_MS,
  TRIGGER_SECRET: PREVIOUS_VALID_MS,
  STATE_KEY: 14 * DAY_MS,
  RESULTS_SECRET: DAY_MS,
};

/** Secrets that could not be read. Another start may succeed. */
export class SecretsUnread extends LinesError {
  override readonly name = 'SecretsUnread';
}

/** Reads all secrets in parallel. Throws SecretsUnread. */
export async function openSecrets(
  settings: SecretSettings,
  clock: Clock,
  log: RootLog,
  egress?: Egress,
): Promise<Secrets> {
  const opened = await Promise.allSettled(SECRET_NAMES.map((name) => open(name, settings, { clock, log, egress })));
  const lines = opened.flatMap((one, at) => {
    if (one.status === 'fulfilled') return [];
    if (!(one.reason instanceof SecretRefused)) throw one.reason;
    return [`${secretArnSetting(SECRET_NAMES[at] as SecretName)}: ${one.reason.message}`];
  });
  if (lines.length > 0) throw new SecretsUnread(lines);
  const values = opened.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  const secretOf = (name: SecretName) => values[SECRET_NAMES.indexOf(name)];
  const deepgramKey = secretOf('DEEPGRAM_API_KEY');
  if (!deepgramKey) throw new TypeError('there is no DEEPGRAM_API_KEY: settings are validated first');
  return {
    deepgramKey,
    triggerSecret: secretOf('TRIGGER_SECRET'),
    stateKey: secretOf('STATE_KEY'),
    resultsSecret: secretOf('RESULTS_SECRET'),
    managed: values.filter((secret) => secret instanceof ManagedSecret),
  };
}

/**
 * The secret that seals checkpoints, undelivered events and dead letters, then the one that may have sealed older ones.
 */
export function sealingSecrets({
  stateKey,
  deepgramKey,
}: Pick<Secrets, 'stateKey' | 'deepgramKey'>): readonly [Secret, ...Secret[]] {
  return stateKey ? [stateKey, deepgramKey] : [deepgramKey];
}

async function open(
  name: SecretName,
  settings: SecretSettings,
  { clock, log, egress }: { clock: Clock; log: RootLog; egress: Egress | undefined },
): Promise<Secret | undefined> {
  const setting = secretArnSetting(name);
  const { [name]: value, [setting]: arn } = settings;
  if (!arn) return value === undefined ? undefined : fixedSecret(value);
  const mayBeJson = name === 'RESULTS_SECRET';
  const read: ReadSecret = (...version) => readSecret(...version, clock, { mayBeJson, egress });
  return ManagedSecret.open({
    setting,
    arn,
    faultOf: (text) => secretFault(name, text),
    secretsWithin: (text) => secretsWithin(name, text),
    previousValidMs: VALID_MS[name],
    acceptsAllPrevious: name === 'STATE_KEY',
    read,
    clock,
    log,
  });
}
