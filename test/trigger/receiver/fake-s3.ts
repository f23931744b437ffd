import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import { listening } from '../../support/loopback.ts';

const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'a secret',
  AWS_SESSION_TOKEN: 'a token',
};
const PAGE = 2;

/** A bucket behind S3's REST API: PUT, GET and ListObjectsV2 in pages of two, each with a verified signature. */
export async function fakeS3(t: ExecutionContext, bucket: string) {
  const objects = new Map<string, Buffer>();
  const failures: number[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const url = new URL(request.url ?? '', 'http://s3');
    const send = (status: number, content: string | Buffer = '') => response.writeHead(status).end(content);
    const failure = failures.shift();
    if (failure) return send(failure, '<Error><Code>SlowDown</Code><Message>calls/secret-key</Message></Error>');
    if (request.headers.authorization !== expectedSignature(request, url, body)) {
      return send(403, '<Error><Code>SignatureDoesNotMatch</Code></Error>');
    }
    const key = decodeURIComponent(url.pathname).slice(bucket.length + 2);
    if (request.method === 'PUT') {
      objects.set(key, body);
      return send(200);
    }
    if (key === '') return send(200, listing([...objects.keys()], url.searchParams));
    const object = objects.get(key);
    return object ? send(200, object) : send(404, '<Error><Code>NoSuchKey</Code></Error>');
  });
  const env = { AWS_REGION: 'eu-west-2', AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await listening(t, server)}` };
  return { objects, failures, env: { ...CREDENTIALS, ...env } };
}

function listing(keys: readonly string[], query: URLSearchParams): string {
  const matching = keys.filter((key) => key.startsWith(query.get('prefix') ?? '')).sort();
  const from = Number(query.get('continuation-token') ?? 0);
  const contents = matching
    .slice(from, from + PAGE)
    .map((key) => `<Contents><Key>${encodeURIComponent(key)}</Key><Size>1</Size></Contents>`);
  const next = from + PAGE < matching.length ? `<NextContinuationToken>${from + PAGE}</NextContinuationToken>` : '';
  return `<?xml version="1.0"?><ListBucketResult>${contents.join('')}${next}</ListBucketResult>`;
}

/** The Authorization header, by "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference. */
function expectedSignature({ method, headers }: IncomingMessage, url: URL, body: Buffer): string {
  const time = String(headers['x-amz-date']);
  const signed = /SignedHeaders=([\w;-]+)/.exec(headers.authorization ?? '')?.[1] ?? '';
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort();
  const canonical = [
    method,
    decodeURIComponent(url.pathname).split('/').map(encodeURIComponent).join('/'),
    query.join('&'),
    ...signed.split(';').map((name) => `${name}:${headers[name]}`),
    '',
    signed,
    sha256(body),
  ].join('\n');
  const scope = `${time.slice(0, 8)}/eu-west-2/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const secret: string | Buffer = `AWS4${CREDENTIALS.AWS_SECRET_ACCESS_KEY}`;
  const key = scope.split('/').reduce<string | Buffer>((by, part) => hmac(by, part), secret);
  const signature = hmac(key, text).toString('hex');
  const credential = `${CREDENTIALS.AWS_ACCESS_KEY_ID}/${scope}`;
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed}, Signature=${signature}`;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
