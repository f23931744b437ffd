import { z } from 'zod';
import { SECRET_ARN_RULE, secretRegion } from './contract/secret-arn.ts';
import { type S3Place, s3PlaceOf } from './results/dead-letters/s3-box.ts';
import { NoProxy } from './runtime/no-proxy.ts';

/** A CloudWatch dimension value: printable ASCII that does not start with a space or a colon. */
const METRICS_STACK = /^[\x21-\x39\x3b-\x7e][\x20-\x7e]{0,254}$/;

/** A data stream, not a video stream. */
const STREAM_ARN = /^arn:aws[\w-]*:kinesis:[a-z0-9-]+:\d{12}:stream\/[\w.-]{1,128}$/;

/** A whole number of `unit`. */
export const wholeNumberOf = (unit: string, min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number (${unit})`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min} (${unit})`).max(max, `must be at most ${max} (${unit})`));

/** The same, with a default. */
export const wholeNumber = (unit: string, min: number, max: number, byDefault: number) =>
  wholeNumberOf(unit, min, max).default(byDefault);

export function metricsStack() {
  const message = 'must be a CloudWatch dimension value: 1 to 255 printable ASCII characters, no colon first';
  return z.string().regex(METRICS_STACK, message);
}

export function dataStreamArn() {
  return z.string().regex(STREAM_ARN, 'must be the ARN of a Kinesis data stream');
}

export function secretArn() {
  return z.string().refine((arn) => secretRegion(arn) !== undefined, SECRET_ARN_RULE);
}

export function awsRegion() {
  return z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region, such as us-east-1');
}

export function s3Place(value: string, context: z.RefinementCtx): S3Place {
  const place = s3PlaceOf(value);
  if (place) return place;
  context.addIssue({ code: 'custom', message: 'must be s3://BUCKET or s3://BUCKET/PREFIX' });
  return z.NEVER;
}

/** A proxy's URL. Errors do not repeat the value, which may contain credentials. */
export function proxyUrl(value: string, context: z.RefinementCtx): string {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    const message = 'must be the http or https URL of a proxy, such as http://proxy.example.com:3128';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
  if (url.pathname !== '/' || url.search || url.hash) {
    context.addIssue({ code: 'custom', message: 'must not contain a path, a query or a fragment' });
    return z.NEVER;
  }
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    context.addIssue({ code: 'custom', message: 'must percent-encode a % in its credentials, as %25' });
    return z.NEVER;
  }
  return url.href.replace(/\/$/, '');
}

export function noProxyList(value: string, context: z.RefinementCtx): string {
  try {
    new NoProxy(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
  return value;
}

/**
 * The URL to which the SDK appends /v1/listen. Accepts a base URL or the original's full URL, ws(s) or http(s).
 * Errors do not repeat the value, which may contain credentials.
 */
export function deepgramBase(value: string, context: z.RefinementCtx): string {
  const url = URL.parse(value);
  if (!url || !/^(ws|http)s?:$/.test(url.protocol)) {
    context.addIssue({ code: 'custom', message: 'must be a ws, wss, http or https URL' });
    return z.NEVER;
  }
  if (url.username || url.password || url.search || url.hash) {
    context.addIssue({ code: 'custom', message: 'must not contain credentials, a query or a fragment' });
    return z.NEVER;
  }
  if (/\/v2\/listen\/*$/.test(url.pathname)) {
    const message =
      'ends in /v2/listen, which serves Flux models only: they take one channel and no callback, and a call has two. Use /v1/listen';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href.replace(/\/+$/, '').replace(/\/v1\/listen$/, '');
}
