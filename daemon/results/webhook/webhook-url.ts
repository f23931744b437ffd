import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import type { Secret } from '../../secrets/secret.ts';
import { keysIn } from '../../secrets/webhook-secrets.ts';
import { addressFault } from './addresses.ts';

const LONGEST_URL = 2048;
const CONTACT_ID = '{contact-id}';

/** Which webhooks are posted to. */
export interface WebhookRules {
  /** RESULTS_SECRET; undefined when there is none. */
  readonly secret: Secret | undefined;
  /** RESULTS_WEBHOOK's host, whose secret may stand alone. */
  readonly defaultHost: string | undefined;
  /** RESULTS_ALLOW_LOCAL: for demo and tests. */
  readonly allowsLocal: boolean;
}

/** The URL for a contact. */
export function webhookFor(template: string, contactId: string): string {
  return template.replaceAll(CONTACT_ID, encodeURIComponent(contactId));
}

/** Host and port of a webhook as RESULTS_SECRET lists it; undefined if it is no URL. */
export function hostOf(url: string): string | undefined {
  return URL.parse(url.replaceAll(CONTACT_ID, 'id'))?.host;
}

/**
 * Why nothing is posted to the webhook; undefined when it may be. Does not repeat the URL, which may contain a token.
 * @param url `{contact-id}` may stand in its path or query
 */
export function webhookFault(url: string, rules: WebhookRules): string | undefined {
  const fault = urlFault(url, rules.allowsLocal);
  if (fault) return fault;
  const { host } = new URL(url.replaceAll(CONTACT_ID, 'id'));
  if (!rules.secret) return 'needs RESULTS_SECRET, which signs what is posted to it';
  if (!keyFor(host, rules.secret.current, rules.defaultHost))
    return `names the host ${host}, which RESULTS_SECRET does not list`;
  return undefined;
}

/** The same without regard to secrets, which may not be known yet. */
export function urlFault(url: string, allowsLocal: boolean): string | undefined {
  const parsed = URL.parse(url.replaceAll(CONTACT_ID, 'id'));
  if (!parsed) return 'must be a URL';
  if (url.length > LONGEST_URL) return `must have at most ${LONGEST_URL} characters`;
  if (parsed.protocol !== 'https:' && !(allowsLocal && parsed.protocol === 'http:')) return 'must be an https URL';
  if (parsed.username || parsed.password || parsed.hash) return 'must not contain credentials or a fragment';
  if (URL.parse(url)?.host !== parsed.host) return `must not have ${CONTACT_ID} in its host`;
  return allowsLocal ? undefined : literalFault(parsed.hostname);
}

/** Why a host in a URL is never posted to; undefined for names, which are resolved when connecting. */
export function literalFault(hostname: string): string | undefined {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) === 0) return isLocalName(hostname) ? 'names this host' : undefined;
  const fault = addressFault(address);
  return fault && `names an address that ${fault}`;
}

/** The key that signs for a host; undefined when it is not posted to. */
export function keyFor(host: string, secret: string, defaultHost: string | undefined): KeyObject | undefined {
  const keys = parsed(secret);
  return keys?.byHost.get(host) ?? (host === defaultHost ? keys?.only : undefined);
}

let latest: { readonly secret: string; readonly keys: ReturnType<typeof keysIn> } | undefined;

/** Parsed once, as every request needs it. */
function parsed(secret: string): ReturnType<typeof keysIn> {
  if (latest?.secret !== secret) latest = { secret, keys: keysIn(secret) };
  return latest.keys;
}

function isLocalName(hostname: string): boolean {
  return /^(?:.+\.)?localhost\.?$/.test(hostname);
}
