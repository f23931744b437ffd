import { createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';

/** Prefix of a secret for Standard Webhooks: base64 of 24 to 64 bytes follows. */
const PREFIX = 'whsec_';
const SHORTEST_BYTES = 24;
const LONGEST_BYTES = 64;
/** With its padding, which the Go library that verifies requests demands. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** A host as a parsed URL has it: in lower case and ASCII, with its port unless that is 443. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;
const RULE = `must be ${PREFIX} and base64 of ${SHORTEST_BYTES} to ${LONGEST_BYTES} bytes with its padding, or a JSON object of host names, each once, to these`;

/** The signing keys in RESULTS_SECRET: one for RESULTS_WEBHOOK's host, or one per host. */
interface WebhookKeys {
  /** For RESULTS_WEBHOOK's host; undefined when each host has its own. */
  readonly only: KeyObject | undefined;
  readonly byHost: ReadonlyMap<string, KeyObject>;
}

/** The value of RESULTS_SECRET. Its faults do not repeat it. */
export const webhookSecret = z.string().refine((value) => keysIn(value) !== undefined, RULE);

/** Parses RESULTS_SECRET; undefined if it is neither form. */
export function keysIn(value: string): WebhookKeys | undefined {
  if (!value.startsWith('{')) {
    const only = keyIn(value);
    return only && { only, byHost: new Map() };
  }
  const secrets = hostSecrets(value);
  const byHost = new Map<string, KeyObject>();
  for (const [name, secret] of secrets) {
    const key = typeof secret === 'string' ? keyIn(secret) : undefined;
    const host = hostIn(name);
    // Which of two secrets signs for a host must not depend on their order.
    if (!key || host === undefined || byHost.has(host)) return undefined;
    byHost.set(host, key);
  }
  return byHost.size > 0 ? { only: undefined, byHost } : undefined;
}

/** The host as webhooks' URLs have it after parsing; undefined if the name is anything else, such as a URL. */
function hostIn(name: string): string | undefined {
  if (!/^[^\s/\\?#@]+$/.test(name)) return undefined;
  const host = URL.parse(`https://${name}`)?.host;
  return host !== undefined && HOST.test(host) ? host : undefined;
}

/** The secrets within RESULTS_SECRET, which no log may contain. */
export function webhookSecretsIn(value: string): string[] {
  const secrets = value.startsWith('{') ? hostSecrets(value).map(([, secret]) => String(secret)) : [value];
  return secrets.flatMap((secret) => [secret, secret.replace(PREFIX, '')]);
}

function hostSecrets(value: string): [string, unknown][] {
  try {
    return Object.entries(JSON.parse(value) as object);
  } catch {
    return [];
  }
}

/** As an object that Node need not check and convert for every signature. */
function keyIn(secret: string): KeyObject | undefined {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '';
  if (!BASE64.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.length >= SHORTEST_BYTES && key.length <= LONGEST_BYTES ? createSecretKey(key) : undefined;
}
