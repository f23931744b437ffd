import { CHANNELS, SAMPLE_RATE_HZ } from './audio-format.ts';

/** Deepgram query parameters of one session, as the contact flow asks for them: one value or several. */
export type DeepgramParams = Readonly<Record<string, string | readonly string[]>>;

/** The shape of the audio that we send; a caller that sets one of these is refused (trigger/README.md). */
export const LOCKED_PARAMS = {
  encoding: 'linear16',
  sample_rate: String(SAMPLE_RATE_HZ),
  multichannel: 'true',
  channels: String(CHANNELS),
} as const;

/** The first parameter in `params` that is ours to set, or undefined. */
export function lockedParamIn(params: DeepgramParams): string | undefined {
  return Object.keys(params).find((name) => Object.hasOwn(LOCKED_PARAMS, name));
}

/**
 * The parameters of a connection that goes on with a call: Deepgram repeats `extra` in every result, so the consumer
 * learns where in the call the connection's time 0 is (daemon/deepgram/README.md: times restart at 0 on every connection).
 */
export function reconnectParams(params: DeepgramParams, offsetMs: number, connection: number): DeepgramParams {
  const extra = [params['extra'] ?? []].flat();
  const ours = [`dgintegrator_offset_ms:${Math.round(offsetMs)}`, `dgintegrator_connection:${connection}`];
  return { ...params, extra: [...extra, ...ours] };
}

/** The parameters as an operator may see them: of a callback, whose URL may hold credentials, only where it goes. */
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
