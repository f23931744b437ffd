import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Clock, Millis } from '../../daemon/runtime/clock.ts';
import type { Environment } from '../settings.ts';
import type { Store } from './store.ts';

/** integratord waits 15 s for a response. */
const TIMEOUT_MS: Millis = 10_000;
const ENCODED_SLASH = /%2F/g;

/**
 * Keeps objects in an S3 bucket. Three requests of S3's REST API: the SDK's client for it would be most of the
 * function's size, and is loaded at each cold start. Its signer is the SDK's.
 */
export class S3Store implements Store {
  readonly #base: URL;
  readonly #signer: SignatureV4;
  readonly #clock: Pick<Clock, 'timeout' | 'epoch'>;

  /** With the region and credentials that Lambda sets; AWS_ENDPOINT_URL_S3 is for tests. */
  constructor(bucket: string, env: Environment, clock: Pick<Clock, 'timeout' | 'epoch'>) {
    const region = env['AWS_REGION'] ?? '';
    const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    const endpoint = env['AWS_ENDPOINT_URL_S3'];
    this.#base = new URL(endpoint ? `${endpoint}/${bucket}` : `https://${bucket}.s3.${region}.${suffix}`);
    this.#clock = clock;
    this.#signer = new SignatureV4({
      service: 's3',
      region,
      credentials: {
        accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
        ...(env['AWS_SESSION_TOKEN'] ? { sessionToken: env['AWS_SESSION_TOKEN'] } : {}),
      },
      sha256: Sha256,
      // S3 signs the path as it is sent.
      uriEscapePath: false,
    });
  }

  async put(key: string, content: Uint8Array): Promise<void> {
    const response = await this.#send('PUT', pathOf(key), {}, content);
    if (!response.ok) throw await failureOf('PUT', response);
    await response.body?.cancel();
  }

  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const query = { 'list-type': '2', 'encoding-type': 'url', prefix };
      const response = await this.#send('GET', '/', token ? { ...query, 'continuation-token': token } : query);
      if (!response.ok) throw await failureOf('LIST', response);
      const xml = await response.text();
      keys.push(...[...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => decodeURIComponent(key)));
      token = /<NextContinuationToken>([^<]*)</.exec(xml)?.[1];
    } while (token);
    return keys;
  }

  async get(key: string): Promise<Buffer | undefined> {
    const response = await this.#send('GET', pathOf(key));
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok) throw await failureOf('GET', response);
    return Buffer.from(await response.arrayBuffer());
  }

  async #send(
    method: string,
    path: string,
    query: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
  ): Promise<Response> {
    const { protocol, hostname, host, pathname } = this.#base;
    const fullPath = pathname === '/' ? path : `${pathname}${path}`;
    const unsigned = { method, protocol, hostname, path: fullPath, query, headers: { host }, body };
    const { headers } = await this.#signer.sign(unsigned, { signingDate: new Date(this.#clock.epoch()) });
    const url = new URL(fullPath, this.#base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const signal = this.#clock.timeout(TIMEOUT_MS);
    return fetch(url, { method, headers, signal, redirect: 'error', ...(body ? { body: Buffer.from(body) } : {}) });
  }
}

/** Encoded as the signature requires, but for its slashes. */
function pathOf(key: string): string {
  return `/${encodeURIComponent(key).replaceAll(ENCODED_SLASH, '/')}`;
}

/** With S3's name of the error; its message may quote the key. */
async function failureOf(operation: string, response: Response): Promise<Error> {
  const code = /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? 'no code';
  const error = new Error(`S3 refused ${operation}: ${code} (HTTP ${response.status})`);
  error.name = `S3${code}`;
  return error;
}

/** The signer's interface to SHA-256 and, with a key, HMAC-SHA256. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('the signer makes a new hash each time');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}
