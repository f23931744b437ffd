import type { RootLog } from '../log/log.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Egress } from '../runtime/egress.ts';
import { LinesError } from '../runtime/lines-error.ts';
import { ManagedSecret, type ReadSecret } from './managed-secret.ts';
import { fixedSecret, type Secret } from './secret.ts';
import { SecretRefused } from './secret-refused.ts';
import { type SecretName, type SecretSettings, secretArnSetting, secretFault } from './secret-settings.ts';
import { readSecret } from './secrets-manager.ts';

/** The daemon's secrets. */
export interface Secrets {
  readonly deepgramKey: Secret;
  /** Undefined when unsigned starts are accepted. */
  readonly triggerSecret: Secret | undefined;
  /** The secrets that are in Secrets Manager. */
  readonly managed: readonly ManagedSecret[];
}

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
  const names = ['DEEPGRAM_API_KEY', 'TRIGGER_SECRET'] as const;
  const opened = await Promise.allSettled(names.map((name) => open(name, settings, { clock, log, egress })));
  const lines = opened.flatMap((one, at) => {
    if (one.status === 'fulfilled') return [];
    if (!(one.reason instanceof SecretRefused)) throw one.reason;
    return [`${secretArnSetting(names[at] as SecretName)}: ${one.reason.message}`];
  });
  if (lines.length > 0) throw new SecretsUnread(lines);
  const [deepgramKey, triggerSecret] = opened.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  if (!deepgramKey) throw new TypeError('there is no DEEPGRAM_API_KEY: settings are validated first');
  const managed = [deepgramKey, triggerSecret].filter((secret) => secret instanceof ManagedSecret);
  return { deepgramKey, triggerSecret, managed };
}

async function open(
  name: SecretName,
  settings: SecretSettings,
  { clock, log, egress }: { clock: Clock; log: RootLog; egress: Egress | undefined },
): Promise<Secret | undefined> {
  const setting = secretArnSetting(name);
  const { [name]: value, [setting]: arn } = settings;
  if (!arn) return value === undefined ? undefined : fixedSecret(value);
  const read: ReadSecret = (...version) => readSecret(...version, clock, egress);
  return ManagedSecret.open({ setting, arn, faultOf: (text) => secretFault(name, text), read, clock, log });
}
