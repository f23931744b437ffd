import { randomBytes } from 'node:crypto';

/**
 * W3C Trace Context's header. It is not signed: tracing proxies replace its parent id by design, which would break the
 * signature. Nothing depends on its value, and only hexadecimal digits are accepted.
 */
export const TRACEPARENT_HEADER = 'traceparent';

/** 16 bytes in hex that identify everything done for one start, from the trigger to Deepgram. */
export type TraceId = string;

/** version-traceid-parentid-flags. A later version may append more after a dash; version ff is forbidden. */
const TRACEPARENT =
  /^(?!ff)(?<version>[0-9a-f]{2})-(?<traceId>[0-9a-f]{32})-(?<parentId>[0-9a-f]{16})-[0-9a-f]{2}(?<rest>-.*)?$/;
const X_RAY_ROOT = /(?:^|;)\s*Root=1-(?<time>[0-9a-f]{8})-(?<unique>[0-9a-f]{24})(?=;|$)/i;
const X_RAY_PARENT = /(?:^|;)\s*Parent=(?<parentId>[0-9a-f]{16})(?=;|$)/i;
const X_RAY_SAMPLED = /(?:^|;)\s*Sampled=1(?=;|$)/;
const ALL_ZERO = /^0+$/;

export function newTraceId(): TraceId {
  return randomBytes(16).toString('hex');
}

/** The trace that a request belongs to; a new one if the header is missing or invalid. */
export function traceIdOf(header: string | string[] | undefined): TraceId {
  const { version, traceId = '', parentId = '', rest } = TRACEPARENT.exec(String(header))?.groups ?? {};
  const isKnown = traceId !== '' && !ALL_ZERO.test(traceId) && !ALL_ZERO.test(parentId);
  return isKnown && (version !== '00' || rest === undefined) ? traceId : newTraceId();
}

/**
 * The traceparent for requests of a Lambda invocation: X-Ray's trace, under Lambda's own segment, or without one a new
 * trace that is not sampled.
 * @param xRay _X_AMZN_TRACE_ID, such as `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`
 */
export function traceparentFrom(xRay: string | undefined): { traceId: TraceId; traceparent: string } {
  const { time, unique } = X_RAY_ROOT.exec(xRay ?? '')?.groups ?? {};
  const root = time && unique ? `${time}${unique}`.toLowerCase() : '';
  const isTraced = root !== '' && !ALL_ZERO.test(root);
  const traceId = isTraced ? root : newTraceId();
  const parent = isTraced ? X_RAY_PARENT.exec(xRay ?? '')?.groups?.['parentId']?.toLowerCase() : undefined;
  const parentId = parent && !ALL_ZERO.test(parent) ? parent : randomBytes(8).toString('hex');
  const isSampled = isTraced && X_RAY_SAMPLED.test(xRay ?? '');
  return { traceId, traceparent: `00-${traceId}-${parentId}-${isSampled ? '01' : '00'}` };
}
