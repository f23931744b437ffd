import { SECRET_ARN_RULE, secretRegion } from '../daemon/contract/secret-arn.ts';
import { TriggerFailure } from './failure.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Settings = {
  /** Where the integrator takes new sessions. Holds no credentials. */
  startSessionUrl: URL;
  /** Signs the requests; undefined: they go unsigned, for an integrator that has no secret either. */
  triggerSecret: string | undefined;
  /** Where the secret is in Secrets Manager; undefined: `triggerSecret` is all there is. */
  triggerSecretArn: string | undefined;
};

const DOMAIN = 'KVS_DG_INTEGRATOR_DOMAIN';

/** Reads the function's environment; throws a TriggerFailure that names the setting, never its value. */
export function readSettings(env: Environment): Settings {
  const base = integratorUrl(env[DOMAIN]?.trim() ?? '');
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/start-session`;
  const triggerSecret = env['TRIGGER_SECRET'] || undefined;
  const triggerSecretArn = env['TRIGGER_SECRET_ARN']?.trim() || undefined;
  if (triggerSecretArn !== undefined) checkArn(triggerSecretArn, triggerSecret);
  return { startSessionUrl: base, triggerSecret, triggerSecretArn };
}

function checkArn(arn: string, triggerSecret: string | undefined): void {
  const fault =
    secretRegion(arn) === undefined ? SECRET_ARN_RULE : triggerSecret && 'and TRIGGER_SECRET are both set: remove one';
  if (fault) throw new TriggerFailure('bad-setting', `The trigger's environment variable TRIGGER_SECRET_ARN ${fault}.`);
}

function integratorUrl(value: string): URL {
  if (value === '') throw badDomain('is not set');
  const isUrl = value.includes('://');
  // The original knew `host` and `host:port` only; anything else in that form would silently mean another place.
  if (/\s/.test(value) || (!isUrl && /[/?#@\\]/.test(value))) throw badDomain('is no host name');
  const url = URL.parse(isUrl ? value : `http://${value}`);
  if (!url || url.hostname === '') throw badDomain('cannot be read');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw badDomain('has a scheme other than http and https');
  if (url.username !== '' || url.password !== '') throw badDomain('holds a user name or password');
  if (url.search !== '' || url.hash !== '') throw badDomain('holds a query or fragment');
  return url;
}

function badDomain(fault: string): TriggerFailure {
  return new TriggerFailure(
    'bad-setting',
    `The trigger's environment variable ${DOMAIN} ${fault}: ` +
      "set it to the integrator's host, host:port or http(s) URL, such as the load balancer's DNS name.",
  );
}
