import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { DeepgramRefused } from '../../daemon/deepgram/errors.ts';
import { openSocket } from '../../daemon/deepgram/socket.ts';
import { fixedSecret } from '../../daemon/secrets/secret.ts';

const EVENTS = { onMessage: () => {}, onPong: () => {}, onTaken: () => {} };

/** The refusal that a handshake answered with these bytes is understood as. */
async function refusalOf(t: ExecutionContext, answer: string): Promise<DeepgramRefused> {
  const server = createServer();
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    socket.write(answer.replaceAll('\n', '\r\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const baseUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const opening = openSocket({ baseUrl, key: fixedSecret('key') }, {}, EVENTS, new AbortController().signal);
  return (await t.throwsAsync(opening, { instanceOf: DeepgramRefused })) as DeepgramRefused;
}

const DEEPGRAMS = '{"err_code":"Bad Request","err_msg":"no such model","request_id":"r"}';
const TOO_MANY = '{"category":"TOO_MANY_REQUESTS","message":"50 streams are open","request_id":"r"}';

for (const [name, answer, expected] of [
  [
    'a 400 with dg-error',
    'HTTP/1.1 400 Bad Request\ndg-error: no such model\n\n',
    { retryable: false, dgError: 'no such model' },
  ],
  [
    'a 400 with Deepgram’s error in its body',
    `HTTP/1.1 400 Bad Request\ncontent-type: application/json\ncontent-length: ${DEEPGRAMS.length}\n\n${DEEPGRAMS}`,
    { retryable: false, dgError: 'Bad Request: no such model' },
  ],
  [
    'a 429 with Deepgram’s error in its body',
    `HTTP/1.1 429 Too Many Requests\ncontent-type: application/json\ncontent-length: ${TOO_MANY.length}\n\n${TOO_MANY}`,
    { retryable: true, dgError: 'TOO_MANY_REQUESTS: 50 streams are open' },
  ],
  [
    'a 400 whose body is endless',
    `HTTP/1.1 400 Bad Request\ncontent-length: 99999999\n\n${'x'.repeat(10_000)}`,
    { retryable: true, dgError: undefined },
  ],
  [
    'a 400 whose body does not come',
    'HTTP/1.1 400 Bad Request\ncontent-length: 100\n\n',
    { retryable: true, dgError: undefined },
  ],
  [
    'a 400 whose body stops after Deepgram’s error',
    `HTTP/1.1 400 Bad Request\ncontent-length: 999\n\n${DEEPGRAMS}`,
    { retryable: false, dgError: 'Bad Request: no such model' },
  ],
  [
    'a proxy’s 400',
    'HTTP/1.1 400 Bad Request\ncontent-type: text/html\ncontent-length: 13\n\n<html></html>',
    { retryable: true },
  ],
  ['a proxy’s 403', 'HTTP/1.1 403 Forbidden\ncontent-length: 13\n\n<html></html>', { retryable: true }],
  [
    'a proxy’s 403 in words',
    'HTTP/1.1 403 Forbidden\ncontent-type: text/plain\ncontent-length: 19\n\nRBAC: access denied',
    { retryable: true },
  ],
  [
    'a proxy’s 401 in JSON',
    'HTTP/1.1 401 Unauthorized\ncontent-type: application/json\ncontent-length: 24\n\n{"message":"Forbidden"} ',
    { retryable: true },
  ],
  [
    'a 403 in words with Deepgram’s request id',
    'HTTP/1.1 403 Forbidden\ndg-request-id: r\ncontent-length: 9\n\nforbidden',
    { retryable: false, requestId: 'r', dgError: 'forbidden' },
  ],
  [
    'a 400 in words with Deepgram’s request id',
    'HTTP/1.1 400 Bad Request\ndg-request-id: r\ncontent-length: 13\n\nno such model',
    { retryable: false, dgError: 'no such model' },
  ],
  [
    'a 400 in other JSON with Deepgram’s request id',
    'HTTP/1.1 400 Bad Request\ndg-request-id: r\ncontent-length: 26\n\n{"reason":"no such model"}',
    { retryable: false, dgError: '{"reason":"no such model"}' },
  ],
  [
    'a bare 400 with Deepgram’s request id',
    'HTTP/1.1 400 Bad Request\ndg-request-id: r\ncontent-length: 0\n\n',
    { retryable: true, dgError: undefined },
  ],
  [
    'a page of HTML with Deepgram’s request id',
    'HTTP/1.1 400 Bad Request\ndg-request-id: r\ncontent-length: 13\n\n<html></html>',
    { retryable: true, dgError: undefined },
  ],
  ['a bare 401', 'HTTP/1.1 401 Unauthorized\ncontent-length: 0\n\n', { retryable: false }],
  [
    'a welcome page',
    'HTTP/1.1 200 OK\ncontent-type: text/html\ncontent-length: 13\n\n<html></html>',
    { status: 200, retryable: true },
  ],
  [
    'a redirect',
    'HTTP/1.1 301 Moved Permanently\nlocation: https://elsewhere.example/\ncontent-length: 0\n\n',
    { status: 301, retryable: true },
  ],
  [
    'a 503 with Retry-After in seconds',
    'HTTP/1.1 503 Service Unavailable\nretry-after: 7\ncontent-length: 0\n\n',
    { retryable: true, retryAfterMs: 7000 },
  ],
  [
    'a 429 with a date in Retry-After',
    'HTTP/1.1 429 Too Many Requests\ndate: Sat, 28 Nov 2026 10:00:00 GMT\nretry-after: Sat, 28 Nov 2026 10:00:09 GMT\ncontent-length: 0\n\n',
    { retryable: true, retryAfterMs: 9000 },
  ],
  [
    'nonsense in Retry-After',
    'HTTP/1.1 503 Service Unavailable\nretry-after: soon\ncontent-length: 0\n\n',
    { retryAfterMs: undefined },
  ],
] as const) {
  test(`${name}: ${JSON.stringify(expected)}`, async (t) => {
    const refusal = await refusalOf(t, answer);
    for (const [field, value] of Object.entries(expected)) t.is(refusal[field as keyof DeepgramRefused], value, field);
  });
}
