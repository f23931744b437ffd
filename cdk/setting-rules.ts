import { z } from 'zod';
import { NoProxy } from '../daemon/runtime/no-proxy.ts';

export const CONNECT_ARN = /^arn:aws[a-z-]*:connect:[a-z0-9-]+:\d{12}:instance\/[A-Za-z0-9-]+$/;
export const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/;

/** `us-east-1a`; not a zone's id (`use1-az1`), nor a local zone, which may lack load balancers and NAT gateways. */
export const ZONE = /^[a-z]+(-[a-z]+)+-\d+[a-z]$/;

/** What of a URL's host is special to no shell, no systemd and no TOML. */
const PROXY_HOST = /^[A-Za-z0-9.:[\]-]+$/;

export const wholeNumber = (unit: string, min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number (${unit})`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min} (${unit})`).max(max, `must be at most ${max} (${unit})`));

export const arn = (of: string, pattern: RegExp, example: string) =>
  z.string().regex(pattern, `must be the ARN of ${of}, such as ${example}`);

export const list = (what: string, item: RegExp, example: string) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(
      z
        .array(z.string().regex(item, `must be ${what}, separated by commas, such as ${example}`))
        .refine((items) => new Set(items).size === items.length, 'must not contain duplicates'),
    );

export const kmsKeyArn = () =>
  arn(
    'a KMS key',
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
    'arn:aws:kms:us-east-1:123456789012:key/1234abcd-…',
  );

export const secretArn = (name: string) =>
  arn('a secret in Secrets Manager', SECRET_ARN, `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`);

export const onOrOff = () => z.enum(['on', 'off'], 'must be on or off').default('off');

/** As the daemon accepts it. Errors do not repeat the value, which may contain credentials. */
export function deepgramUrl(value: string, context: z.RefinementCtx): string {
  const url = URL.parse(value);
  if (!url || !/^(ws|http)s?:$/.test(url.protocol)) {
    context.addIssue({ code: 'custom', message: 'must be a ws, wss, http or https URL' });
  } else if (url.username || url.password || url.search || url.hash) {
    context.addIssue({ code: 'custom', message: 'must not contain credentials, a query or a fragment' });
  }
  return url?.href ?? z.NEVER;
}

/** Errors do not repeat the value, which may contain credentials. */
export function proxyUrl(value: string, context: z.RefinementCtx): string {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol) || !PROXY_HOST.test(url.host)) {
    const message = 'must be the http or https URL of a proxy, such as http://proxy.example.com:3128';
    context.addIssue({ code: 'custom', message });
  } else if (url.username || url.password) {
    const message =
      'must not contain credentials: everybody who can read the template could read them. Let the proxy accept the subnets, or set HTTPS_PROXY_FILE on instances of your own';
    context.addIssue({ code: 'custom', message });
  } else if (url.pathname !== '/' || url.search || url.hash) {
    context.addIssue({ code: 'custom', message: 'must not contain a path, a query or a fragment' });
  }
  return url?.href.replace(/\/$/, '') ?? z.NEVER;
}

export function hostList(value: string, context: z.RefinementCtx): string {
  // Spaces separate too, as in other programs; the daemon knows only commas.
  const list = value
    .split(/[\s,]+/)
    .filter(Boolean)
    .join(',');
  try {
    new NoProxy(list);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
  return list;
}
