import { SECRET_ARN_RULE, secretRegion } from '../daemon/contract/secret-arn.ts';
import { TriggerFailure } from './failure.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Settings = {
  /** integratord's POST /start-session; contains no credentials. */
  startSessionUrl: URL;
  /** Key of the signatures; undefined for unsigned requests, to an integratord without a secret. */
  triggerSecret: string | undefined;
  /** ARN of the key in Secrets Manager; undefined if only `triggerSecret` counts. */
  triggerSecretArn: string | undefined;
};

const DOMAIN = 'KVS_DG_INTEGRATOR_DOMAIN';

/** Reads the function's environment. Throws a TriggerFailure that names the setting, but not its value. */
export function readSettings(env: Environment): Settings {
  const base = integratorUrl(env[DOMAIN]?.trim() ?? '');
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/start-session`;
  const triggerSecret = secretIn(env['TRIGGER_SECRET'] ?? '');
  const triggerSecretArn = env['TRIGGER_SECRET_ARN']?.trim() || undefined;
  if (triggerSecretArn !== undefined) checkArn(triggerSecretArn, triggerSecret);
  return { startSessionUrl: base, triggerSecret, triggerSecretArn };
}

/** Without the spaces around it, as the daemon reads it: a pasted line break would make every signature wrong. */
function secretIn(value: string): string | undefined {
  if (value === '') return undefined;
  const secret = value.trim();
  if (secret !== '') return secret;
  throw new TriggerFailure('bad-setting', "The trigger's environment variable TRIGGER_SECRET has only spaces.");
}

function checkArn(arn: string, triggerSecret: string | undefined): void {
  const fault =
    secretRegion(arn) === undefined ? SECRET_ARN_RULE : triggerSecret && 'and TRIGGER_SECRET are both set: remove one';
  if (fault) throw new TriggerFailure('bad-setting', `The trigger's environment variable TRIGGER_SECRET_ARN ${fault}.`);
}

function integratorUrl(value: string): URL {
  if (value === '') throw badDomain('is not set');
  const isUrl = value.includes('://');
  // The original accepted only `host` and `host:port`; other characters would silently lead to another place.
  if (/\s/.test(value) || (!isUrl && /[/?#@\\]/.test(value))) throw badDomain('is not a host name');
  const url = URL.parse(isUrl ? value : `http://${value}`);
  if (!url || url.hostname === '') throw badDomain('cannot be parsed');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw badDomain('has a scheme other than http and https');
  if (url.username !== '' || url.password !== '') throw badDomain('contains a user name or password');
  if (url.search !== '' || url.hash !== '') throw badDomain('contains a query or fragment');
  return url;
}

function badDomain(fault: string): TriggerFailure {
  return new TriggerFailure(
    'bad-setting',
    `The trigger's environment variable ${DOMAIN} ${fault}: ` +
      "set it to integratord's host, host:port or http(s) URL, such as the load balancer's DNS name.",
  );
}
