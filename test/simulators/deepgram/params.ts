/** Target of results if the query has a callback. */
export interface CallbackTarget {
  url: URL;
  method: 'POST' | 'PUT';
}

/** The validated query of a /v1/listen request. */
export interface ListenParams {
  /** All parameters, in their order. */
  query: [name: string, value: string][];
  /** Undefined for containerized audio. */
  encoding: string | undefined;
  sampleRateHz: number;
  channels: number;
  multichannel: boolean;
  interimResults: boolean;
  punctuated: boolean;
  model: string;
  tags: string[];
  extra: Record<string, string>;
  callback: CallbackTarget | undefined;
}

/** A query that Deepgram answers with 400. The message names the parameter. */
export class BadParameter extends Error {}

const ENCODINGS = [
  'linear16',
  'linear32',
  'flac',
  'alaw',
  'mulaw',
  'amr-nb',
  'amr-wb',
  'opus',
  'ogg-opus',
  'speex',
  'g729',
];
/** Model families of /v1/listen; flux is served at /v2/listen. */
const MODEL = /^(nova|enhanced|base|whisper)(-[\w-]+)?$|^(general|phonecall|meeting)$/;
const DEFAULT_MODEL = 'base';
const MAX_CHANNELS = 8;
const CALLBACK_PROTOCOLS = ['http:', 'https:', 'ws:', 'wss:'];

/** Reads the parameters that the simulator supports and ignores all others. Throws BadParameter. */
export function listenParams(query: URLSearchParams): ListenParams {
  const encoding = query.get('encoding') ?? undefined;
  if (encoding !== undefined && !ENCODINGS.includes(encoding)) throw new BadParameter(`unknown encoding: ${encoding}`);
  const model = query.get('model') ?? DEFAULT_MODEL;
  if (!MODEL.test(model)) throw new BadParameter(`no such model: ${model}`);
  if (model.startsWith('nova-3') && query.has('keywords')) {
    throw new BadParameter('keywords are not supported by nova-3: use keyterm');
  }
  return {
    query: [...query],
    encoding,
    sampleRateHz: sampleRateHz(query, encoding),
    channels: channels(query),
    multichannel: trueOrFalse(query, 'multichannel'),
    interimResults: trueOrFalse(query, 'interim_results'),
    punctuated: query.get('punctuate') === 'true' || query.get('smart_format') === 'true',
    model,
    tags: query.getAll('tag'),
    extra: extra(query),
    callback: callback(query),
  };
}

function sampleRateHz(query: URLSearchParams, encoding: string | undefined): number {
  const text = query.get('sample_rate');
  if (text === null && encoding === undefined) return 0;
  if (text === null) throw new BadParameter(`sample_rate is required with encoding=${encoding}`);
  if (!/^[1-9]\d{3,5}$/.test(text)) throw new BadParameter(`sample_rate is not a rate in Hz: ${text}`);
  return Number(text);
}

function channels(query: URLSearchParams): number {
  const text = query.get('channels') ?? '1';
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MAX_CHANNELS) {
    throw new BadParameter(`channels must be 1 to ${MAX_CHANNELS}: ${text}`);
  }
  return count;
}

function trueOrFalse(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? 'false';
  if (text !== 'true' && text !== 'false') throw new BadParameter(`${name} must be true or false: ${text}`);
  return text === 'true';
}

function extra(query: URLSearchParams): Record<string, string> {
  const pairs = query.getAll('extra').map((text) => {
    const colon = text.indexOf(':');
    if (colon < 1) throw new BadParameter(`extra must be key:value: ${text}`);
    return [text.slice(0, colon), text.slice(colon + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

function callback(query: URLSearchParams): CallbackTarget | undefined {
  const text = query.get('callback');
  if (text === null) return undefined;
  const url = URL.parse(text);
  if (!url || !CALLBACK_PROTOCOLS.includes(url.protocol)) throw new BadParameter(`callback is not a URL: ${text}`);
  const method = (query.get('callback_method') ?? 'post').toUpperCase();
  if (method !== 'POST' && method !== 'PUT') throw new BadParameter(`callback_method must be post or put: ${method}`);
  return { url, method };
}
