import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** The part of S3's REST API that dead letters need, in pages of two. */
export async function s3Server() {
  const objects = new Map<string, Buffer>();
  const fault = { status: 0 };
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = decoded(await buffer(request), request);
    const isSigned = /^AWS4-HMAC-SHA256 Credential=\S+\/us-east-1\/s3\/aws4_request/.test(
      request.headers.authorization ?? '',
    );
    const refused = isSigned ? fault.status : 403;
    const { status, body } = refused > 0 ? { status: refused, body: errorOf('SlowDown') } : act(request, bytes);
    response.writeHead(status).end(body);
  }

  function act({ url = '', method = '' }: IncomingMessage, bytes: Buffer): { status: number; body: string | Buffer } {
    const { pathname, searchParams } = new URL(url, 'http://s3');
    const key = decodeURIComponent(pathname);
    if (searchParams.get('list-type') === '2') return { status: 200, body: page(key, searchParams) };
    const object = objects.get(key);
    if (method === 'PUT') objects.set(key, bytes);
    if (method === 'DELETE') objects.delete(key);
    if (method !== 'GET') return { status: 200, body: '' };
    return object ? { status: 200, body: object } : { status: 404, body: errorOf('NoSuchKey') };
  }

  /** `/bucket/` or `/bucket`: keys are stored with the bucket. */
  function page(path: string, query: URLSearchParams): string {
    const bucket = path.replace(/\/?$/, '/');
    const prefix = query.get('prefix') ?? '';
    const keys = [...objects.keys()].filter((key) => key.startsWith(`${bucket}${prefix}`)).sort();
    const from = Number(query.get('continuation-token') ?? 0);
    const shown = keys
      .slice(from, from + 2)
      .map((key) => `<Contents><Key>${key.slice(bucket.length)}</Key></Contents>`);
    const more = from + 2 < keys.length;
    const next = more ? `<NextContinuationToken>${from + 2}</NextContinuationToken>` : '';
    return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${shown.join('')}${next}</ListBucketResult>`;
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { objects, fault, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** The SDK may send a body in chunks with a checksum behind it. */
function decoded(bytes: Buffer, { headers }: IncomingMessage): Buffer {
  if (!String(headers['content-encoding'] ?? '').includes('aws-chunked')) return bytes;
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) break;
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

function errorOf(code: string): string {
  return `<Error><Code>${code}</Code><Message>${code}</Message></Error>`;
}
