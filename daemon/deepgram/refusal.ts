import type { IncomingMessage } from 'node:http';
import { readBeginning } from '../runtime/bounded-body.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import { DeepgramRefused } from './errors.ts';

/** Deepgram's error bodies have some hundred bytes; a proxy's page may be long. */
const MAX_BODY_BYTES = 4096;
/** A body that takes longer is cut off there. */
const BODY_WITHIN_MS: Millis = 1000;
/** An error in words is a sentence or two. */
const MAX_WORDS = 400;

/** The refusal that a handshake was answered with. Never rejects. */
export async function refusalFrom(response: IncomingMessage, clock: Clock): Promise<DeepgramRefused> {
  const status = response.statusCode ?? 0;
  let dgError = header(response, 'dg-error');
  const requestId = header(response, 'dg-request-id');
  let isForeign = header(response, 'content-type')?.startsWith('text/html') ?? false;
  if (dgError === undefined && !isForeign) {
    const body = (await beginningOf(response, clock)).trim();
    isForeign = body.startsWith('<') || (body !== '' && requestId === undefined);
    dgError = errorIn(body) ?? (requestId === undefined || isForeign ? undefined : wordsIn(body));
  }
  return new DeepgramRefused(status, dgError, requestId, {
    isForeign: isForeign && dgError === undefined,
    retryAfterMs: retryAfterMs(header(response, 'retry-after'), Date.parse(header(response, 'date') ?? '')),
  });
}

export function header(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The first 4 KiB of a body, or less if it is shorter or slow. */
async function beginningOf(response: IncomingMessage, clock: Clock): Promise<string> {
  const cancel = clock.after(BODY_WITHIN_MS, () => response.destroy());
  const bytes = await readBeginning(response, MAX_BODY_BYTES);
  cancel();
  return bytes.toString();
}

/** Deepgram's error body: `{"err_code", "err_msg", "request_id"}`, in newer ones `{"category", "message", "details"}`. */
function errorIn(body: string): string | undefined {
  try {
    const { err_code: code, err_msg: text, category, message } = JSON.parse(body) as Record<string, unknown>;
    const [kind, words] = [code ?? category, text ?? message];
    return kind === undefined ? undefined : [kind, words].filter((each) => typeof each === 'string').join(': ');
  } catch {
    return undefined;
  }
}

/** What a body with Deepgram's request id says that is in neither form: a self-hosted Deepgram has its own version. */
function wordsIn(body: string): string | undefined {
  return body.slice(0, MAX_WORDS).toWellFormed() || undefined;
}

/** RFC 9110, 10.2.3: seconds, or a date, which counts from the response's own. */
function retryAfterMs(value: string | undefined, dateMs: number): Millis | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - dateMs;
  return ms > 0 ? ms : undefined;
}
