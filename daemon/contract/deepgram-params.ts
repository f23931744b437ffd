import type { Millis } from '../runtime/clock.ts';
import { CHANNELS, SAMPLE_RATE_HZ } from './audio-format.ts';

/** Deepgram query parameters of a session, from the contact flow; several values become a repeated parameter. */
export type DeepgramParams = Readonly<Record<string, string | readonly string[]>>;

/** The format of the audio that we send; a request that sets one of these is refused (trigger/README.md). */
export const LOCKED_PARAMS = {
  encoding: 'linear16',
  sample_rate: String(SAMPLE_RATE_HZ),
  multichannel: 'true',
  channels: String(CHANNELS),
} as const;

/** The first locked parameter in `params`, or undefined. */
export function lockedParamIn(params: DeepgramParams): string | undefined {
  return Object.keys(params).find((name) => Object.hasOwn(LOCKED_PARAMS, name));
}

/** Whether `params` ask for a Flux model: Deepgram serves those at /v2/listen only, with one channel and no callback. */
export function asksForFlux(params: DeepgramParams): boolean {
  return [params['model'] ?? []].flat().some((model) => /^flux\b/i.test(model));
}

/**
 * The parameters of a session's connections. The wall time of call time 0 is the same on all of them, so a consumer can
 * put the sessions of one contact in order (trigger/README.md, "The order of a contact's sessions").
 */
export function sessionParams(params: DeepgramParams, timeZeroEpochMs: Millis): DeepgramParams {
  const extra = [params['extra'] ?? []].flat();
  return { ...params, extra: [...extra, `dgintegrator_started_at:${new Date(timeZeroEpochMs).toISOString()}`] };
}

/**
 * The parameters of a connection after the first. Deepgram's times restart at 0 on every connection, and it repeats
 * `extra` in every result, so these values give the consumer the call time of that 0 (daemon/deepgram/README.md).
 */
export function reconnectParams(params: DeepgramParams, offsetMs: number, connection: number): DeepgramParams {
  const extra = [params['extra'] ?? []].flat();
  const ours = [`dgintegrator_offset_ms:${Math.round(offsetMs)}`, `dgintegrator_connection:${connection}`];
  return { ...params, extra: [...extra, ...ours] };
}

/** The parameters for operators: credentials and query of the callback's URL are masked. */
export function maskedParams(params: DeepgramParams): Record<string, string | string[]> {
  const masked = Object.entries(params).map(([name, value]) => {
    if (name !== 'callback') return [name, typeof value === 'string' ? value : [...value]] as const;
    return [name, maskedUrl(String(value))] as const;
  });
  return Object.fromEntries(masked);
}

function maskedUrl(value: string): string {
  const url = URL.parse(value);
  if (!url) return '***';
  const credentials = url.username || url.password ? '***@' : '';
  const query = url.search ? '?***' : '';
  return `${url.protocol}//${credentials}${url.host}${url.pathname}${query}`;
}
